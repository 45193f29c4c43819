//! What Nix puts beside an artifact: the paths that it refers to.

use crate::sbom::SbomError;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
struct File {
    closure: Vec<StorePath>,
}

/// A path of the store, as `exportReferencesGraph` describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StorePath {
    pub(super) path: String,
    pub(super) nar_hash: String,
    pub(super) nar_size: u64,
    pub(super) references: BTreeSet<String>,
}

/// The paths, sorted.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<StorePath>, SbomError> {
    let file: File = serde_json::from_slice(bytes).map_err(SbomError::Closure)?;
    let mut closure = file.closure;
    closure.sort_by(|a, b| a.path.cmp(&b.path));
    closure.dedup_by(|a, b| a.path == b.path);
    let stranger = closure.iter().find(|path| path.base().is_none());
    match stranger {
        Some(path) => Err(SbomError::StorePath(path.path.clone())),
        None => Ok(closure),
    }
}

impl StorePath {
    /// Without the store: `<hash>-glibc-2.40`.
    pub(super) fn base(&self) -> Option<&str> {
        let base = self.path.strip_prefix("/nix/store/")?;
        let (hash, name) = base.split_once('-')?;
        (hash.len() == 32 && !name.is_empty() && !base.contains('/')).then_some(base)
    }

    /// `glibc` and `2.40`: as in Nix, the version begins with the first part that does not begin with a letter.
    pub(super) fn name_and_version(&self) -> (&str, &str) {
        let base = self.base().unwrap_or_default();
        let name = base.split_once('-').map_or(base, |(_, name)| name);
        let is_version = |at: &usize| {
            let next = name.as_bytes().get(at + 1);
            next.is_some_and(|byte| !byte.is_ascii_alphabetic())
        };
        let at = name.match_indices('-').map(|(at, _)| at).find(is_version);
        match at.and_then(|at| name.split_at_checked(at)) {
            Some((name, version)) => (name, version.trim_start_matches('-')),
            None => (name, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> StorePath {
        StorePath {
            path: format!("/nix/store/0123456789abcdfghijklmnpqrsvwxyz-{text}"),
            nar_hash: String::new(),
            nar_size: 0,
            references: BTreeSet::new(),
        }
    }

    #[test]
    fn names_and_versions_are_split_as_nix_does() {
        assert_eq!(
            path("glibc-2.40-66").name_and_version(),
            ("glibc", "2.40-66")
        );
        assert_eq!(
            path("nss-cacert-3.101").name_and_version(),
            ("nss-cacert", "3.101")
        );
        assert_eq!(path("source").name_and_version(), ("source", ""));
    }

    #[test]
    fn a_path_outside_the_store_is_refused() {
        let text = r#"{"closure": [{"path": "/home/u/x", "narHash": "sha256:0", "narSize": 1, "references": []}]}"#;
        assert!(matches!(
            read(text.as_bytes()),
            Err(SbomError::StorePath(_))
        ));
        assert!(matches!(read(b"{}"), Err(SbomError::Closure(_))));
    }
}
