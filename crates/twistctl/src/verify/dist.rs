//! `--dist`: a release folder on the disk.
//!
//! Proves that every artifact in it is the manifest's, byte for byte, and that nothing else is in it.

use crate::artifact::walk;
use crate::verify::{Context, Leg, Row};
use attest::{Difference, Manifest, Offset, Sha256, Signature, Verdict, compare::first_difference};
use std::fs;
use std::path::{Path, PathBuf};

const LEG: &str = "dist";
/// What may lie beside the artifacts.
const MANIFEST: &str = "release.json";
const SIGNATURE: &str = "release.json.sig";
const MOST_SIGNATURE: u64 = 64 << 10;

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
        rows.extend(self.signature(context));
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
        if is_absent(&path) {
            return None;
        }
        let given = fs::canonicalize(&context.path).ok();
        if given.is_some() && fs::canonicalize(&path).ok() == given {
            return None;
        }
        let row = Row::of_none(LEG, path.display().to_string());
        let found = match walk::read_file(&path, Manifest::MAX_BYTES as u64) {
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

    /// The signature in the folder: the one that was checked, or at least one.
    fn signature(&self, context: &Context) -> Option<Row> {
        let path = self.folder.join(SIGNATURE);
        if is_absent(&path) {
            return None;
        }
        let row = Row::of_none(LEG, path.display().to_string());
        let differs = |expected: &str, actual: &str, detail: &str| {
            Verdict::Differs(Difference {
                file: Some(SIGNATURE.to_owned()),
                offset: Offset::Unknown,
                expected: expected.to_owned(),
                actual: actual.to_owned(),
                detail: format!("{SIGNATURE} {detail}"),
            })
        };
        if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
            let verdict = differs("a file", "something else", "is no regular file");
            return Some(row.verdict(verdict));
        }
        let found = match walk::read_file(&path, MOST_SIGNATURE) {
            Ok(found) => found,
            Err(error) => return Some(row.not_checked(error.to_string())),
        };
        let text = String::from_utf8_lossy(&found);
        match (Signature::parse(&text), context.signature) {
            (Err(_), _) => {
                Some(row.verdict(differs("a signature", "none", "has no signature in it")))
            }
            (Ok(found), Some(checked)) if found != checked => Some(row.verdict(differs(
                checked.to_text().trim(),
                found.to_text().trim(),
                "is another signature than the one that was checked",
            ))),
            (Ok(_), Some(_)) => Some(row.verdict(Verdict::Match)),
            // Nothing is known of it, and nothing is said.
            (Ok(_), None) => None,
        }
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

/// Whether nothing has this name, not even a link to nowhere.
fn is_absent(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}
