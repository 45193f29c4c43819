//! Which build this process is: `GET /version`.
//!
//! The hash is of the file that the kernel started, which stays readable when a deploy has replaced it on
//! disk. It is read once, when first asked for, and never by `/ready`.

use crate::ApiError;
use crate::access::{Routes, Rule};
use crate::config::ConfigError;
use crate::extract::Json;
use crate::limit::RateClass;
use crate::server::About;
use contracts::version::{Binary, Version};
use sha2::{Digest as _, Sha256};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Component, Path};
use tokio::sync::OnceCell;

/// The environment variable that names the commit.
pub const REVISION_ENV: &str = "TWIST_REVISION";

/// The file of this process, also after it was replaced or removed.
const OWN_FILE: &str = "/proc/self/exe";
const STORE: &str = "/nix/store";
/// Digits of the hash that a store path's name begins with.
const STORE_HASH_LEN: usize = 32;
const CHUNK: usize = 128 * 1024;

/// A commit: 40 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(String);

/// A text that is no commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 40 lower-case hex digits, as `git rev-parse HEAD` prints them")]
pub struct NoRevision;

impl TryFrom<&str> for Revision {
    type Error = NoRevision;

    fn try_from(text: &str) -> Result<Self, NoRevision> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 40 && text.bytes().all(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoRevision)
        }
    }
}

impl Revision {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What `TWIST_REVISION` says; `None` when it is not set or empty.
    ///
    /// # Errors
    /// When it is anything but a commit: a service must not serve a revision that cannot be looked up.
    pub fn from_environment() -> Result<Option<Self>, ConfigError> {
        Self::of(std::env::var_os(REVISION_ENV))
    }

    fn of(value: Option<OsString>) -> Result<Option<Self>, ConfigError> {
        match value {
            Some(value) if !value.is_empty() => value
                .to_str()
                .ok_or(NoRevision)
                .and_then(Self::try_from)
                .map(Some)
                .map_err(|wrong| ConfigError::Invalid(format!("{REVISION_ENV}: {wrong}"))),
            _ => Ok(None),
        }
    }
}

/// `GET /version`.
pub(crate) fn routes(about: About) -> Routes {
    Routes::new().get(
        "/version",
        Rule::public(RateClass::Unlimited),
        move || {
            let about = about.clone();
            async move { answer(about).await }
        },
        |op| {
            op.id("version")
                .summary("Which build answers")
                .tag("health")
        },
    )
}

async fn answer(about: About) -> Result<Json<Version>, ApiError> {
    Ok(Json(Version {
        service: about.service.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: about.revision.map(|revision| revision.0),
        binary: own_binary().await?,
    }))
}

/// The file that this process runs, read once for the whole process.
async fn own_binary() -> Result<Binary, ApiError> {
    static OWN: OnceCell<Binary> = OnceCell::const_new();
    if let Some(binary) = OWN.get() {
        return Ok(binary.clone());
    }
    // In a task of its own: clients that give up must not make the next one read the file again.
    let reading = tokio::spawn(OWN.get_or_try_init(async || {
        tokio::task::spawn_blocking(|| read(Path::new(OWN_FILE)))
            .await
            .map_err(io::Error::other)?
    }));
    reading
        .await
        .map_err(io::Error::other)
        .flatten()
        .cloned()
        .map_err(|error| ApiError::internal(&format!("{OWN_FILE}: {error}")))
}

fn read(path: &Path) -> io::Result<Binary> {
    let target = std::fs::read_link(path)?;
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = file.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hash.update(bytes);
        size += bytes.len() as u64;
    }
    Ok(Binary {
        sha256: hex::encode(hash.finalize()),
        size,
        store_path: store_path(&target),
    })
}

/// The store path that `file` lies in. Any other path would tell strangers how the machine is laid out.
fn store_path(file: &Path) -> Option<String> {
    let mut inside = file.strip_prefix(STORE).ok()?.components();
    let Component::Normal(name) = inside.next()? else {
        return None;
    };
    let name = name.to_str()?;
    let (hash, rest) = name.split_at_checked(STORE_HASH_LEN)?;
    let is_hash = hash
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"+-._?=".contains(&b);
    (is_hash && rest.starts_with('-') && rest.bytes().all(is_plain))
        .then(|| format!("{STORE}/{name}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop on the spot")]

    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_revision_that_nobody_can_look_up_is_an_error_and_none_is_not() {
        let of = |text: &str| Revision::of(Some(text.into()));
        assert_eq!(of(COMMIT).unwrap().unwrap().as_str(), COMMIT);
        assert_eq!(of("").unwrap(), None);
        assert_eq!(Revision::of(None).unwrap(), None);
        for wrong in [
            "main",
            "v0.1.0",
            "0123456789ab",
            &COMMIT.to_uppercase(),
            &format!("{COMMIT}-dirty"),
            &format!("{COMMIT}\n"),
            &format!(" {COMMIT}"),
            &"é".repeat(20),
        ] {
            let error = of(wrong).unwrap_err().to_string();
            assert!(error.starts_with("TWIST_REVISION: must be 40"), "{error}");
        }
    }

    #[test]
    fn only_a_path_of_the_store_is_told() {
        let name = "0c9v4gbq2zsv2sh7ylpbpiyxbn6pxgfm-auth-service-0.1.0";
        let store = format!("/nix/store/{name}");
        for inside in ["/bin/auth-service", "", "/bin/auth-service (deleted)"] {
            let file = format!("{store}{inside}");
            assert_eq!(store_path(Path::new(&file)), Some(store.clone()), "{file}");
        }
        for outside in [
            "/home/ann/twist/target/debug/auth-service".to_owned(),
            "/nix/store".to_owned(),
            "/nix/store/../../etc/auth-service".to_owned(),
            "/nix/store/short-name/bin/x".to_owned(),
            format!("/nix/storehouse/{name}/bin/x"),
            format!("/mnt{store}/bin/x"),
            format!("{store} (deleted)"),
        ] {
            assert_eq!(store_path(Path::new(&outside)), None, "{outside}");
        }
    }
}
