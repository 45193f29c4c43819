//! What runs, out of a release folder.

use crate::CtlError;
use crate::build::make::{BUNDLE, WORKERS};
use crate::build::{Artifacts, MANIFEST};
use attest::Manifest;
use std::fs;
use std::path::Path;

/// The programs and the bundles of `dist`, as a build or Nix has put them there. That they are the manifest's is
/// for `verify` to say.
pub fn artifacts(dist: &Path) -> Result<Artifacts, CtlError> {
    let dist = std::path::absolute(dist).map_err(CtlError::io("find", dist))?;
    let program = |name: &str| dist.join(name).join("bin").join(name);
    let artifacts = Artifacts {
        auth: program("auth-service"),
        api: program("influencer-api"),
        settlement: program("settlement-worker"),
        migrate: program("twist-migrate"),
        bundles: dist.clone(),
        revision: None,
    };
    let mut needed = vec![
        dist.join(MANIFEST),
        artifacts.auth.clone(),
        artifacts.api.clone(),
        artifacts.settlement.clone(),
        artifacts.migrate.clone(),
    ];
    for worker in WORKERS {
        needed.extend(BUNDLE.map(|module| dist.join(worker).join(module)));
    }
    let missing: Vec<String> = needed
        .iter()
        .filter(|file| !file.is_file())
        .map(|file| file.display().to_string())
        .collect();
    if !missing.is_empty() {
        return Err(CtlError::Help(format!(
            "{} is not complete; missing: {}. ./twist build makes it",
            dist.display(),
            missing.join(", ")
        )));
    }
    let file = dist.join(MANIFEST);
    let bytes = fs::read(&file).map_err(CtlError::io("read", &file))?;
    let manifest = Manifest::parse(&bytes)
        .map_err(|error| CtlError::Help(format!("{}: {error}", file.display())))?;
    let source = &manifest.draft().source;
    // What was changed after the commit is not the commit.
    let revision = source.revision.as_ref().filter(|_| !source.dirty);
    Ok(Artifacts {
        revision: revision.map(ToString::to_string),
        ..artifacts
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::sample;

    #[test]
    fn a_folder_without_a_program_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let dist = sample::dist(&folder.path().join("dist"), attest::Builder::Host);
        let artifacts = artifacts(&dist).unwrap();
        assert!(artifacts.auth.is_file());
        assert_eq!(artifacts.revision.as_deref(), Some(sample::REVISION));

        fs::remove_file(dist.join("influencer-api/bin/influencer-api")).unwrap();
        fs::remove_file(dist.join("edge-vau-processor/index.js")).unwrap();
        fs::remove_file(dist.join("edge-security-worker/index_bg.wasm")).unwrap();
        let text = super::artifacts(&dist).unwrap_err().to_string();
        assert!(text.contains("influencer-api/bin/influencer-api"), "{text}");
        assert!(text.contains("edge-vau-processor/index.js"), "{text}");
        assert!(
            text.contains("edge-security-worker/index_bg.wasm"),
            "{text}"
        );
        assert!(!text.contains("bin/auth-service"), "{text}");
    }

    #[test]
    fn a_changed_checkout_is_not_announced_as_its_commit() {
        let folder = tempfile::tempdir().unwrap();
        let dist = sample::dist_of(&folder.path().join("dist"), attest::Builder::Host, true);
        assert_eq!(artifacts(&dist).unwrap().revision, None);
    }
}
