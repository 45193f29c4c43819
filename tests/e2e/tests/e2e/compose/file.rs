//! The Compose file, read as Compose reads it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use twistctl::Paths;

/// What is built from this repository.
pub(super) const OURS: [&str; 4] = [
    "auth-service",
    "influencer-api",
    "settlement-worker",
    "migrate",
];

/// What is filled in for a variable that the example leaves empty.
pub(super) fn filled_in(name: &str) -> String {
    if name == "TWIST_ALLOWED_ORIGINS" {
        return "https://app.example.org".to_owned();
    }
    let digits = name.bytes().map(|byte| format!("{byte:02x}"));
    let mut text: String = digits.collect();
    // Another one for each, and as long as the longest secret has to be.
    text.truncate(64);
    format!("{text:0<64}")
}

pub(super) struct Compose(pub(super) Value);

impl Compose {
    pub(super) fn read() -> Self {
        Self(serde_saphyr::from_str(&text("docker-compose.backend.yml")).unwrap())
    }

    pub(super) fn services(&self) -> BTreeMap<String, Value> {
        let services = self.0["services"].as_object().unwrap().clone();
        services.into_iter().collect()
    }

    pub(super) fn service(&self, name: &str) -> Value {
        self.services().remove(name).unwrap()
    }

    /// What the container of `service` has in its environment when `variables` are set.
    pub(super) fn environment(
        &self,
        service: &str,
        variables: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let service = self.service(service);
        let environment = service["environment"].as_object().unwrap();
        environment
            .iter()
            .map(|(name, value)| {
                let value = value.as_str().unwrap_or_else(|| panic!("{name}: quote it"));
                (name.clone(), fill(value, variables))
            })
            .collect()
    }
}

/// A file of the repository.
pub(super) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

pub(super) fn path(name: &str) -> PathBuf {
    Paths::discover().unwrap().root.join(name)
}

/// `NAME=value` lines.
pub(super) fn example() -> BTreeMap<String, String> {
    let text = text(".env.backend.example");
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// The example with everything that it leaves empty filled in.
pub(super) fn complete() -> BTreeMap<String, String> {
    let mut variables = example();
    for (name, value) in &mut variables {
        if value.is_empty() {
            *value = filled_in(name);
        }
    }
    variables
}

/// One `${…}` of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) name: String,
    /// After `:-` or `-`.
    pub(super) default: Option<String>,
    /// With `-` alone, a variable that is set to nothing stays so.
    pub(super) may_be_empty: bool,
    /// After `:?`.
    pub(super) message: Option<String>,
}

/// The variables that a text refers to.
pub(super) fn references(text: &str) -> BTreeSet<Reference> {
    text.split("${")
        .skip(1)
        .map(|rest| reference(rest.split('}').next().unwrap()))
        .collect()
}

fn reference(inner: &str) -> Reference {
    let end = inner.find([':', '-']).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let default = rest.strip_prefix(":-").or(rest.strip_prefix('-'));
    Reference {
        name: name.to_owned(),
        default: default.map(str::to_owned),
        may_be_empty: rest.starts_with('-'),
        message: rest.strip_prefix(":?").map(str::to_owned),
    }
}

/// The text with its variables put in.
pub(super) fn fill(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap().to_owned();
    for part in parts {
        let (inner, rest) = part.split_once('}').unwrap();
        let reference = reference(inner);
        let value = variables.get(&reference.name).cloned();
        let value = value
            .filter(|value| reference.may_be_empty || !value.is_empty())
            .or(reference.default);
        filled += &value.unwrap_or_else(|| panic!("{} has no value", reference.name));
        filled += rest;
    }
    filled
}
