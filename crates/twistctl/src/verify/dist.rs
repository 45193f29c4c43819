//! `--dist`: a release folder on the disk.
//!
//! Proves that every artifact in it is the manifest's, byte for byte, and that nothing else is in it.

use crate::artifact::walk;
use crate::verify::{Context, Leg, Row};
use attest::{Difference, Offset, Sha256, Verdict, compare::first_difference};
use std::fs;
use std::path::{Path, PathBuf};

const LEG: &str = "dist";
/// What may lie beside the artifacts.
const MANIFEST: &str = "release.json";
const SIGNATURE: &str = "release.json.sig";

/// A folder.
#[derive(Debug)]
pub struct Dist {
    folder: PathBuf,
}

impl Dist {
    /// The folder as it was typed.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }
}

impl Leg for Dist {
    fn check(&self, context: &Context) -> Vec<Row> {
        let mut rows: Vec<Row> = context
            .artifacts()
            .map(|artifact| {
                let path = self.folder.join(artifact.name.as_str());
                let row = Row::new(LEG, artifact, path.display().to_string());
                context.compare_path(artifact, &path, row)
            })
            .collect();
        rows.extend(self.manifest(context));
        // Whoever asks for some artifacts does not say that the folder is a whole release.
        if context.all_are_meant() {
            rows.extend(self.strangers(context));
        }
        rows
    }
}

impl Dist {
    /// The folder's own manifest, unless it is the one that was given.
    fn manifest(&self, context: &Context) -> Option<Row> {
        let path = self.folder.join(MANIFEST);
        let same = fs::canonicalize(&path).ok()? == fs::canonicalize(&context.path).ok()?;
        if same {
            return None;
        }
        let row = Row::of_none(LEG, path.display().to_string());
        let found = match walk::read_file(&path) {
            Ok(found) => found,
            Err(error) => return Some(row.not_checked(error.to_string())),
        };
        let Some(at) = first_difference(&context.bytes, &found) else {
            return Some(row.verdict(Verdict::Match));
        };
        Some(row.verdict(Verdict::Differs(Difference {
            file: Some(MANIFEST.to_owned()),
            offset: Offset::At(at),
            expected: Sha256::of(&context.bytes).to_string(),
            actual: Sha256::of(&found).to_string(),
            detail: format!("the folder has another manifest; it differs at byte {at}"),
        })))
    }

    /// What is in the folder and not in the manifest.
    fn strangers(&self, context: &Context) -> Vec<Row> {
        let folder = self.folder.display().to_string();
        let unread = |error: &std::io::Error| {
            Row::of_none(LEG, &folder).not_checked(format!("cannot list {folder}: {error}"))
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            // Every artifact has been found missing already.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => return vec![unread(&error)],
        };
        let mut rows = Vec::new();
        for entry in entries {
            let name = match entry {
                Ok(entry) => entry.file_name().to_string_lossy().into_owned(),
                Err(error) => {
                    rows.push(unread(&error));
                    continue;
                }
            };
            let belongs = matches!(name.as_str(), MANIFEST | SIGNATURE)
                || context.manifest.artifact(&name).is_some();
            if !belongs {
                rows.push(self.stranger(&name));
            }
        }
        rows.sort_by(|a, b| a.subject.cmp(&b.subject));
        rows
    }

    fn stranger(&self, name: &str) -> Row {
        let path = self.folder.join(name);
        Row::of_none(LEG, path.display().to_string()).verdict(Verdict::Differs(Difference {
            file: Some(name.to_owned()),
            offset: Offset::Unknown,
            expected: "absent".to_owned(),
            actual: "present".to_owned(),
            detail: format!("{name} is in the folder and not in the manifest"),
        }))
    }
}
