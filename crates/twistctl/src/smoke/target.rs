//! What the journeys are walked against.

use crate::CtlError;
use crate::platform::{Part, Platform, Ports, Secrets};
use crate::smoke::Tag;
use client::Client;
use std::path::PathBuf;

/// Which kind of environment; decides which steps may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// This machine.
    Local,
    /// A copy of production that may be written to.
    Staging,
    /// The real thing.
    Production,
}

impl Environment {
    /// Whether a step with this tag may be taken here.
    pub const fn allows(self, tag: Tag) -> bool {
        match self {
            Self::Local => true,
            Self::Staging => !matches!(tag, Tag::LocalOnly),
            Self::Production => matches!(tag, Tag::ProductionSafe),
        }
    }
}

/// An environment and how to talk to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its kind.
    pub environment: Environment,
    /// Talks to it.
    pub client: Client,
    /// What only this machine can know.
    pub local: Option<Local>,
}

/// What only this machine can know of a platform.
#[derive(Debug, Clone)]
pub struct Local {
    /// Base URLs of the components that no client calls.
    pub inside: Vec<String>,
    /// Base URLs of the ops listeners, by component.
    pub ops: Vec<(&'static str, String)>,
    /// The integrator's key id and secret.
    pub integrator: (String, String),
    /// Opens the edge's figures.
    pub operator_token: String,
    /// twist-migrate.
    pub migrate: PathBuf,
    /// The database, as its owner.
    pub owner_url: String,
}

impl Local {
    /// Where the components are that no client calls.
    pub(crate) fn inside(ports: &Ports) -> Vec<String> {
        vec![ports.url(Part::Settlement)]
    }

    /// Where the metrics are.
    pub(crate) fn ops(ports: &Ports) -> Vec<(&'static str, String)> {
        let of = |part: Part| {
            let port = ports.ops(part)?;
            Some((part.name(), format!("http://127.0.0.1:{port}")))
        };
        Part::ALL.into_iter().filter_map(of).collect()
    }
}

impl Target {
    /// A platform on this machine.
    pub fn of(platform: &Platform) -> Result<Self, CtlError> {
        Ok(Self {
            environment: Environment::Local,
            client: platform.client()?,
            local: Some(Local {
                inside: Local::inside(&platform.ports),
                ops: Local::ops(&platform.ports),
                integrator: (
                    Secrets::INTEGRATOR.to_owned(),
                    platform.secrets.integrator.clone(),
                ),
                operator_token: platform.secrets.operator(),
                migrate: platform.artifacts.migrate.clone(),
                owner_url: platform.owner_url(),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_is_only_ever_read() {
        assert!(Environment::Production.allows(Tag::ProductionSafe));
        assert!(!Environment::Production.allows(Tag::Staging));
        assert!(!Environment::Production.allows(Tag::LocalOnly));
        assert!(!Environment::Staging.allows(Tag::LocalOnly));
    }
}
