//! The Nix archive format, as far as hashing needs it.
//!
//! A tree has exactly one archive: names are sorted, and only the executable bit of the permissions counts.
//! Format: figure 5.2 of Eelco Dolstra's thesis "The Purely Functional Software Deployment Model" (2006).

use crate::{NarHash, Node};
use sha2::{Digest as _, Sha256};

/// The hash of the archive of `node`.
pub fn hash(node: &Node) -> NarHash {
    let mut archive = Archive(Sha256::new());
    archive.text("nix-archive-1");
    archive.node(node);
    NarHash::from_bytes(archive.0.finalize().into())
}

struct Archive(Sha256);

impl Archive {
    fn node(&mut self, node: &Node) {
        self.text("(");
        self.text("type");
        match node {
            Node::File {
                executable,
                contents,
            } => {
                self.text("regular");
                if *executable {
                    self.text("executable");
                    self.text("");
                }
                self.text("contents");
                self.bytes(contents);
            }
            Node::Link { target } => {
                self.text("symlink");
                self.text("target");
                self.text(target);
            }
            Node::Folder(entries) => {
                self.text("directory");
                for (name, node) in entries {
                    self.text("entry");
                    self.text("(");
                    self.text("name");
                    self.text(name);
                    self.text("node");
                    self.node(node);
                    self.text(")");
                }
            }
        }
        self.text(")");
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The length as a little-endian 64-bit integer, the bytes, zeros up to a multiple of 8.
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        let padding = bytes.len().next_multiple_of(8) - bytes.len();
        self.0.update([0; 8].get(..padding).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn file(executable: bool, contents: &str) -> Node {
        Node::File {
            executable,
            contents: contents.into(),
        }
    }

    /// Hashes that `nix hash path` gives for the same trees.
    #[test]
    fn nix_gives_the_same_hash() {
        assert_eq!(
            hash(&file(false, "hello\n")).to_string(),
            "sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM="
        );
        let link = Node::Link {
            target: "../elsewhere".into(),
        };
        let folder = Node::Folder(BTreeMap::from([
            ("a-file".into(), file(false, "twelve bytes")),
            ("empty".into(), file(false, "")),
            ("link".into(), link),
            (
                "nested".into(),
                Node::Folder(BTreeMap::from([("run".into(), file(true, "#!/bin/sh\n"))])),
            ),
        ]));
        assert_eq!(
            hash(&folder).to_string(),
            "sha256-JSm6Sbbvuyd4hfhncxf6ZiEW8l9UNNXANJir3Ou2w5o="
        );
    }
}
