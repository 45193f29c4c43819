//! Environment variables as a figment provider that never changes a text on its way.

use super::ConfigError;
use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};
use std::ffi::OsString;

const FILE_SUFFIX: &str = "_file";

/// The variables of one service, nested by `__`.
pub(super) struct Environment(Dict);

impl Environment {
    /// Takes the variables that start with `prefix` and `__`, and reads the files that `…_FILE` ones name.
    pub(super) fn read<I>(prefix: &str, variables: I) -> Result<Self, ConfigError>
    where
        I: IntoIterator<Item = (OsString, OsString)>,
    {
        let start = format!("{}__", prefix.trim_end_matches('_')).to_ascii_lowercase();
        let mut dict = Dict::new();
        for (name, value) in variables {
            let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else {
                continue;
            };
            let lower = name.to_ascii_lowercase();
            let Some(path) = lower.strip_prefix(&start) else {
                continue;
            };
            match path.strip_suffix(FILE_SUFFIX) {
                Some(path) => {
                    let text =
                        std::fs::read_to_string(&value).map_err(|source| ConfigError::File {
                            variable: name.clone(),
                            source,
                        })?;
                    put(
                        &mut dict,
                        path,
                        Value::from(text.trim_end_matches(['\r', '\n'])),
                    );
                }
                None => put(&mut dict, path, typed(&value)),
            }
        }
        Ok(Self(dict))
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}

/// A number or boolean only if it is written in the one form that reads back unchanged, so `0123`,
/// `1e5` and `[x]` stay text.
fn typed(text: &str) -> Value {
    if let Ok(number) = text.parse::<u64>()
        && number.to_string() == text
    {
        return Value::from(number);
    }
    match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => Value::from(text),
    }
}

fn put(dict: &mut Dict, path: &str, value: Value) {
    match path.split_once("__") {
        None => {
            dict.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let slot = dict
                .entry(head.to_owned())
                .or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = slot {
                put(inner, rest, value);
            } else {
                let mut inner = Dict::new();
                put(&mut inner, rest, value);
                *slot = Value::from(inner);
            }
        }
    }
}

/// One line a problem, each with the variable to set.
pub(super) fn describe(prefix: &str, errors: Error) -> String {
    let start = prefix.trim_end_matches('_');
    let lines: Vec<String> = errors
        .into_iter()
        .map(|error| {
            let path: Vec<String> = error.path.iter().map(|key| key.to_uppercase()).collect();
            let place = if path.is_empty() {
                format!("{start}__…")
            } else {
                format!("{start}__{}", path.join("__"))
            };
            format!("{place}: {}", error.kind)
        })
        .collect();
    lines.join("; ")
}
