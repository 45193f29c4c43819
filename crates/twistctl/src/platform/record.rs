//! What runs, written down so that another command finds it.

use crate::platform::secrets::write_private;
use crate::platform::{Part, Ports};
use crate::{CtlError, Paths};
use serde::{Deserialize, Serialize};
use stack::Identity;
use std::collections::BTreeMap;
use std::fs;

/// `status.json` of the state folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Whose ports are whose.
    pub ports: Ports,
    /// The command that the processes belong to; none when they were detached.
    pub owner: Option<Identity>,
    /// The processes.
    pub parts: BTreeMap<Part, PartRecord>,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartRecord {
    /// Which.
    pub identity: Identity,
    /// Tells whether it runs what would be started now.
    pub build: String,
}

impl Record {
    /// The record of the last run, if there is one that can be read.
    pub fn load(paths: &Paths) -> Option<Self> {
        let text = fs::read(paths.state.join("status.json")).ok()?;
        // One of another version describes processes that cannot be told apart from strangers' anyway.
        serde_json::from_slice(&text).ok()
    }

    pub(crate) fn save(&self, paths: &Paths) -> Result<(), CtlError> {
        let path = paths.state.join("status.json");
        let text = serde_json::to_vec_pretty(self).map_err(|source| CtlError::Damaged {
            path: path.clone(),
            source,
        })?;
        write_private(&path, &text)
    }

    pub(crate) fn remove(paths: &Paths) -> Result<(), CtlError> {
        let path = paths.state.join("status.json");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CtlError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Whether the process of this part still runs.
    pub fn is_alive(&self, part: Part) -> bool {
        self.parts
            .get(&part)
            .is_some_and(|part| part.identity.is_alive())
    }

    /// Whether another command holds the processes.
    pub fn has_owner(&self) -> bool {
        self.owner.as_ref().is_some_and(Identity::is_alive)
    }
}
