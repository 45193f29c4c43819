//! Configuration: a TOML file, then credential files, then environment variables; what comes later wins.
//!
//! `TWIST_AUTH__DATABASE__URL` sets `database.url`; names are lower-cased. `…_FILE` names a file whose content is the
//! value (a trailing newline is dropped). Each file of `$CREDENTIALS_DIRECTORY`, as systemd fills it, is the value of
//! the key that it is named after. A key that the configuration does not have is an error, so that a misspelt limit
//! is not silently the default. All that is wrong is told at once, a line each, and no value is ever repeated.

mod http;
mod keys;
mod problem;
mod reference;
mod sections;
mod shape;
mod sources;

pub use http::HttpConfig;
pub use problem::{Problem, Problems};
pub use reference::reference;
pub use sections::{DatabaseConfig, Listen, RedisConfig, is_http_url};

use figment::Figment;
use figment::error::Kind;
use figment::providers::Serialized;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::Path;

/// A secret text in a configuration.
pub type Secret = telemetry::privacy::Secret<String>;

/// Why a service cannot start with this configuration. Never contains a value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Everything that was found, one a line.
    #[error("{}", problem::lines(.0))]
    Problems(Vec<Problem>),
    /// Something beside the keys.
    #[error("{0}")]
    Invalid(String),
}

/// Reads a configuration: `file` if given, then credentials, then the variables that start with `prefix` and `__`.
///
/// `T` should refuse unknown fields; secrets in it are of type [`Secret`].
pub fn load<T>(prefix: &str, file: Option<&Path>) -> Result<T, ConfigError>
where
    T: DeserializeOwned + JsonSchema,
{
    load_from(prefix, file, std::env::vars_os())
}

/// [`load`] with the variables given, `CREDENTIALS_DIRECTORY` among them.
pub fn load_from<T, I>(prefix: &str, file: Option<&Path>, variables: I) -> Result<T, ConfigError>
where
    T: DeserializeOwned + JsonSchema,
    I: IntoIterator<Item = (OsString, OsString)>,
{
    let variables: Vec<(OsString, OsString)> = variables.into_iter().collect();
    let mut problems = Problems::new(prefix);
    let mut layers = Vec::new();
    if let Some(path) = file {
        layers.push(sources::file(path, &mut problems));
    }
    let folder = variables
        .iter()
        .find(|(name, _)| name == sources::CREDENTIALS_ENV);
    if let Some((_, folder)) = folder {
        layers.push(sources::credentials(Path::new(folder), &mut problems));
    }
    layers.push(sources::environment(prefix, variables, &mut problems));

    let merged = layers.into_iter().fold(Figment::new(), |figment, layer| {
        figment.merge(Serialized::defaults(layer))
    });
    let tree = merged.extract().map_err(|_| unreadable())?;
    let readable = problems.is_empty();
    let tree = shape::fit(&keys::schema::<T>(), tree, &mut problems);
    if !readable {
        // What a source could not give is not also missing.
        let why = "is required";
        let found = problems.found().iter().filter(|problem| problem.why != why);
        return Err(ConfigError::Problems(found.cloned().collect()));
    }
    problems.clone().into_result()?;
    Figment::from(Serialized::defaults(tree))
        .extract()
        .map_err(|errors| {
            for error in errors {
                problems.note(&error.path.join("."), why(&error.kind));
            }
            ConfigError::Problems(problems.found().to_vec())
        })
}

fn unreadable() -> ConfigError {
    ConfigError::Invalid("the configuration cannot be read".to_owned())
}

/// What a type found wrong, without the value.
fn why(kind: &Kind) -> String {
    match kind {
        Kind::MissingField(name) => format!("`{name}` is required"),
        Kind::UnknownField(..) => "there is no such key".to_owned(),
        Kind::UnknownVariant(_, known) => format!("must be one of {}", known.join(", ")),
        Kind::InvalidType(_, expected)
        | Kind::InvalidValue(_, expected)
        | Kind::InvalidLength(_, expected) => format!("must be {expected}"),
        _ => "is not valid".to_owned(),
    }
}
