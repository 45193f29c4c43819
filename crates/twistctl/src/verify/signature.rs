//! Who stands for the manifest.

use crate::Paths;
use crate::verify::input::small_text;
use crate::verify::{BadInput, Outcome, Request};
use attest::{PublicKey, Signature};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the checkout keeps the keys of releases.
const KEYS: &str = "keys/release";

/// How it stands with the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// By one of the keys, over these bytes.
    Valid,
    /// By none of the keys, or over other bytes, or no signature at all.
    Wrong,
    /// There is none.
    NotSigned,
    /// There is one, and no key to check it with.
    NotChecked,
}

/// The answer about the signature.
#[derive(Debug, Clone)]
pub struct SignatureReport {
    /// How it stands.
    pub status: Status,
    /// The key that signed.
    pub key_id: Option<String>,
    /// The file that this key was read from.
    pub key_file: Option<PathBuf>,
    /// The signature, if it is valid.
    pub signature: Option<Signature>,
    /// The sentence for a person.
    pub detail: String,
    /// Whether it was asked for, so that it has to be there and good.
    pub demanded: bool,
}

impl Status {
    /// As the JSON has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Wrong => "wrong",
            Self::NotSigned => "not-signed",
            Self::NotChecked => "not-checked",
        }
    }
}

impl SignatureReport {
    /// What it means for the whole.
    pub const fn outcome(&self) -> Outcome {
        match (self.status, self.demanded) {
            (Status::Wrong, _) | (Status::NotSigned, true) => Outcome::BadSignature,
            (Status::NotChecked, true) => Outcome::NotChecked,
            (Status::Valid, _) | (Status::NotSigned | Status::NotChecked, false) => Outcome::Equal,
        }
    }
}

pub(crate) fn check(request: &Request, manifest: &[u8]) -> Result<SignatureReport, BadInput> {
    let demanded = request.signature.is_some() || !request.keys.is_empty();
    let report = |status, detail: String| SignatureReport {
        status,
        key_id: None,
        key_file: None,
        signature: None,
        detail,
        demanded,
    };
    let keys = keys(request)?;
    let beside = beside(&request.manifest);
    let Some(path) = request.signature.as_ref().or(beside.as_ref()) else {
        return Ok(report(Status::NotSigned, "not signed".to_owned()));
    };
    let text = small_text(path)?;
    if keys.is_empty() {
        let detail = format!(
            "{} was not checked: no key; give one with --key",
            path.display()
        );
        return Ok(report(Status::NotChecked, detail));
    }
    let signature = match Signature::parse(&text) {
        Ok(signature) => signature,
        Err(error) => {
            let detail = format!("{}: {error}", path.display());
            return Ok(report(Status::Wrong, detail));
        }
    };
    let good = keys
        .iter()
        .find(|(_, key)| key.verify(manifest, &signature).is_ok());
    if let Some((file, key)) = good {
        // Whoever can change the checkout can put a key there.
        let from = if request.keys.is_empty() {
            ", a file of the checkout, as no --key was given"
        } else {
            ""
        };
        let detail = format!("valid, by the key {} in {}{from}", key.id(), file.display());
        return Ok(SignatureReport {
            key_id: Some(key.id()),
            key_file: Some(file.clone()),
            signature: Some(signature),
            ..report(Status::Valid, detail)
        });
    }
    let ids: Vec<String> = keys.iter().map(|(_, key)| key.id()).collect();
    let detail = format!(
        "{} is no signature over these bytes by {}",
        path.display(),
        ids.join(" or ")
    );
    Ok(report(Status::Wrong, detail))
}

/// `release.json.sig`, if it is there.
fn beside(manifest: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(manifest);
    name.push(".sig");
    let path = PathBuf::from(name);
    // A link to nowhere is there too, and cannot be read.
    fs::symlink_metadata(&path).is_ok().then_some(path)
}

fn keys(request: &Request) -> Result<Vec<(PathBuf, PublicKey)>, BadInput> {
    let files = if request.keys.is_empty() {
        of_checkout()?
    } else {
        request.keys.clone()
    };
    files
        .into_iter()
        .map(|file| match PublicKey::from_pem(&small_text(&file)?) {
            Ok(key) => Ok((file, key)),
            Err(error) => Err(BadInput::new(format!(
                "the key {}: {error}",
                file.display()
            ))),
        })
        .collect()
}

/// None outside of a checkout, and in one that has no keys.
fn of_checkout() -> Result<Vec<PathBuf>, BadInput> {
    let Some(folder) = Paths::discover().ok().map(|paths| paths.root.join(KEYS)) else {
        return Ok(Vec::new());
    };
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let unread =
        |error: std::io::Error| BadInput::new(format!("cannot list {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
