//! An environment's values: a file that is committed, with the names of secrets and not their values.

use crate::edge::EdgeError;
use crate::edge::bindings::{Bindings, Worker};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What differs between environments.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// `staging`, `production`.
    pub environment: String,
    /// By script.
    #[serde(default)]
    pub workers: BTreeMap<String, OfWorker>,
}

/// A script's values.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfWorker {
    /// Plain ones.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    /// Where the others are found when they are sent.
    #[serde(default)]
    pub secrets: BTreeMap<String, Source>,
}

/// Where a secret is.
#[derive(Debug, Clone)]
pub enum Source {
    /// In a variable of the environment.
    Env(String),
    /// In a file, without the line's end.
    File(PathBuf),
}

impl Values {
    /// Reads a TOML or, by its ending, JSON file, and compares its names with the list.
    pub fn load(path: &Path, bindings: &Bindings) -> Result<Self, EdgeError> {
        let wrong = |why: &str| EdgeError::help(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(EdgeError::io("read", path))?;
        let read: Self = if path.extension().is_some_and(|ending| ending == "json") {
            serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?
        } else {
            // The parser's own text would show the line, and somebody may have put a secret there.
            toml::from_str(&text).map_err(|error: toml::de::Error| wrong(error.message()))?
        };
        environment(&read.environment).map_err(|why| wrong(&why))?;
        for (name, given) in &read.workers {
            let worker = bindings
                .worker(name)
                .ok_or_else(|| wrong(&format!("there is no worker {name}")))?;
            given.check(worker).map_err(|why| wrong(&why))?;
        }
        for worker in &bindings.workers {
            let given = read.of(worker);
            let missing = worker
                .vars
                .iter()
                .find(|var| var.required && given.vars.get(&var.name).is_none_or(String::is_empty));
            if let Some(var) = missing {
                return Err(wrong(&format!(
                    "{} needs the variable {}, which has no value",
                    worker.name, var.name
                )));
            }
        }
        Ok(read)
    }

    /// A script's.
    pub fn of(&self, worker: &Worker) -> OfWorker {
        self.workers.get(&worker.name).cloned().unwrap_or_default()
    }
}

/// Refuses what could not follow a script's name.
pub fn environment(name: &str) -> Result<(), String> {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.is_empty() && name.len() <= 20 && name.bytes().all(good) {
        Ok(())
    } else {
        Err(format!(
            "{name:?} is no name of an environment: up to 20 lower-case letters and digits"
        ))
    }
}

impl OfWorker {
    fn check(&self, worker: &Worker) -> Result<(), String> {
        let known = |list: &[crate::edge::bindings::Value], name: &str| {
            list.iter().any(|value| value.name == name)
        };
        if let Some(name) = self.vars.keys().find(|name| !known(&worker.vars, name)) {
            return Err(format!("{} has no variable {name}", worker.name));
        }
        if let Some(name) = self
            .secrets
            .keys()
            .find(|name| !known(&worker.secrets, name))
        {
            return Err(format!("{} has no secret {name}", worker.name));
        }
        Ok(())
    }

    /// The variables of a script: given ones, defaults for the rest.
    pub fn variables(&self, worker: &Worker) -> Vec<(String, String)> {
        let of = |var: &crate::edge::bindings::Value| {
            let given = self.vars.get(&var.name).or(var.default.as_ref());
            // To the script an empty one is one that is not there.
            Some((
                var.name.clone(),
                given.filter(|value| !value.is_empty())?.clone(),
            ))
        };
        worker.vars.iter().filter_map(of).collect()
    }

    /// The secrets that have to be sent: those that the script does not have, or all that are given.
    pub fn secrets(
        &self,
        worker: &Worker,
        there: &[String],
        all: bool,
    ) -> Result<Vec<(String, String)>, EdgeError> {
        let mut sent = Vec::new();
        for secret in &worker.secrets {
            let is_there = there.contains(&secret.name);
            let given = self.secrets.get(&secret.name);
            if is_there && !(all && given.is_some()) {
                continue;
            }
            let value = match given {
                Some(source) => Some(source.read(&secret.name)?),
                None => secret.default.clone().filter(|value| !value.is_empty()),
            };
            match value {
                Some(value) => sent.push((secret.name.clone(), value)),
                None if secret.required => {
                    return Err(EdgeError::help(format!(
                        "{} does not have the secret {} yet: say in the values file where it is, as {{ env = \"NAME\" }} or {{ file = \"PATH\" }}",
                        worker.name, secret.name
                    )));
                }
                None => {}
            }
        }
        Ok(sent)
    }
}

impl<'de> Deserialize<'de> for Source {
    /// Says nothing of what it found: somebody may have put the secret itself there.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wrong =
            || D::Error::custom("a secret is given as { env = \"NAME\" } or { file = \"PATH\" }");
        let Ok(serde_json::Value::Object(members)) = serde_json::Value::deserialize(from) else {
            return Err(wrong());
        };
        let mut members = members.into_iter();
        match (members.next(), members.next()) {
            (Some((kind, serde_json::Value::String(place))), None) => match kind.as_str() {
                "env" => Ok(Self::Env(place)),
                "file" => Ok(Self::File(PathBuf::from(place))),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

impl Source {
    fn read(&self, secret: &str) -> Result<String, EdgeError> {
        let value = match self {
            Self::Env(name) => env::var(name).map_err(|_| {
                EdgeError::help(format!(
                    "the secret {secret} is to come from {name}, which is not set"
                ))
            })?,
            Self::File(path) => fs::read_to_string(path).map_err(EdgeError::io("read", path))?,
        };
        let value = value.trim_end_matches(['\r', '\n']).to_owned();
        if value.is_empty() {
            return Err(EdgeError::help(format!("the secret {secret} is empty")));
        }
        Ok(value)
    }
}
