//! A small release folder for tests.

use crate::artifact::assemble::{Input, Plan, Planned, assemble, write};
use crate::build::{BUNDLE, MANIFEST, WORKERS};
use attest::{ArtifactName, Builder, Kind, Revision, Source, System};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

/// Files of about a thousand bytes in the place of the real ones.
pub(crate) fn dist(folder: &Path, builder: Builder) -> PathBuf {
    dist_of(folder, builder, false)
}

pub(crate) fn dist_of(folder: &Path, builder: Builder, dirty: bool) -> PathBuf {
    let programs = [
        ("auth-service", Kind::Service),
        ("influencer-api", Kind::Service),
        ("settlement-worker", Kind::Service),
        ("twist-migrate", Kind::Tool),
        ("twistctl", Kind::Tool),
    ];
    let put = |path: String, mode: u32| {
        let file = folder.join(&path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, path.repeat(1000 / path.len())).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    };
    for (name, _) in programs {
        put(format!("{name}/bin/{name}"), 0o755);
    }
    for worker in WORKERS {
        for module in BUNDLE {
            put(format!("{worker}/{module}"), 0o644);
        }
    }
    put("sbom/twist.cdx.json".into(), 0o644);
    let artifacts = programs
        .into_iter()
        .chain(WORKERS.map(|name| (name, Kind::Worker)))
        .chain([("sbom", Kind::Sbom)]);
    let plan = Plan {
        version: "0.1.0".into(),
        builder,
        system: System::X8664Linux,
        source: Source {
            revision: Some(Revision::try_from(REVISION).unwrap()),
            dirty,
            locks: BTreeMap::new(),
        },
        toolchain: BTreeMap::new(),
        inputs: BTreeMap::new(),
        artifacts: artifacts
            .map(|(name, kind)| Planned {
                name: ArtifactName::try_from(name).unwrap(),
                kind,
                path: folder.join(name),
            })
            .collect(),
    };
    let input = Input {
        plan,
        closure: Vec::new(),
    };
    write(&assemble(input).unwrap(), &folder.join(MANIFEST)).unwrap();
    folder.to_owned()
}
