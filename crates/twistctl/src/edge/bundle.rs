//! The modules of a script: a folder of a release, or what was read back.

use crate::artifact::walk;
use crate::edge::EdgeError;
use crate::edge::api::Content;
use crate::edge::multipart::Part;
use attest::{Node, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// The module that is started.
pub const MAIN: &str = "index.js";
/// The program.
pub const WASM: &str = "index_bg.wasm";
/// More than Cloudflare takes, by far.
const MOST_BYTES: u64 = 64 << 20;

/// A script's modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    modules: BTreeMap<String, Vec<u8>>,
}

/// Where two bundles part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting(pub String);

impl Bundle {
    /// The folder of a bundle, which has the two modules and nothing else.
    pub fn read(folder: &Path) -> Result<Self, EdgeError> {
        let wrong = |why: &str| EdgeError::help(format!("{}: {why}", folder.display()));
        let node =
            walk::read_within(folder, MOST_BYTES).map_err(|error| wrong(&error.to_string()))?;
        let Node::Folder(entries) = node else {
            return Err(wrong("is no folder"));
        };
        let mut modules = BTreeMap::new();
        for (name, node) in entries {
            match node {
                Node::File { contents, .. } if name == MAIN || name == WASM => {
                    modules.insert(name, contents);
                }
                _ => return Err(wrong(&format!("{name} is no module of a bundle"))),
            }
        }
        for name in [MAIN, WASM] {
            if !modules.contains_key(name) {
                return Err(wrong(&format!(
                    "there is no {name}; build it with ./twist build"
                )));
            }
        }
        Ok(Self { modules })
    }

    /// What the API handed out, whatever it is.
    pub fn of_content(content: Content) -> Result<Self, Parting> {
        if let Some(name) = content.entrypoint.as_deref().map(plain)
            && name != MAIN
        {
            return Err(Parting(format!(
                "it starts with the module {name}, {MAIN} expected"
            )));
        }
        Self::of_parts(content.parts)
    }

    /// The parts of a form.
    pub fn of_parts(parts: Vec<Part>) -> Result<Self, Parting> {
        let mut modules = BTreeMap::new();
        for part in parts {
            let name = plain(&part.name).to_owned();
            if modules.insert(name.clone(), part.bytes).is_some() {
                return Err(Parting(format!("the module {name} is in it twice")));
            }
        }
        Ok(Self { modules })
    }

    /// A module's bytes.
    pub fn module(&self, name: &str) -> &[u8] {
        self.modules.get(name).map_or(&[], Vec::as_slice)
    }

    /// As a folder, to be compared with a manifest.
    pub fn into_node(self) -> Node {
        let file = |contents| Node::File {
            executable: false,
            contents,
        };
        Node::Folder(
            self.modules
                .into_iter()
                .map(|(name, contents)| (name, file(contents)))
                .collect(),
        )
    }

    /// The hash that a release manifest has of it.
    pub fn hash(&self) -> String {
        self.clone().into_node().nar_hash().to_string()
    }

    /// The beginning of a hash over it, for a version's tag.
    pub fn tag(&self) -> String {
        let hash = Sha256::of(self.hash().as_bytes()).to_string();
        hash.chars().take(16).collect()
    }

    /// The first thing in which `other` differs.
    pub fn parting(&self, other: &Self) -> Option<Parting> {
        for (name, bytes) in &self.modules {
            let Some(found) = other.modules.get(name) else {
                return Some(Parting(format!("the module {name} is not there")));
            };
            if let Some(at) = attest::compare::first_difference(bytes, found) {
                return Some(Parting(format!("{name} differs at byte {at}")));
            }
        }
        let more = other
            .modules
            .keys()
            .find(|name| !self.modules.contains_key(*name));
        more.map(|name| Parting(format!("there is a module {name} too many")))
    }
}

/// A module's name without what says that it lies beside the others.
fn plain(name: &str) -> &str {
    name.strip_prefix("./").unwrap_or(name)
}
