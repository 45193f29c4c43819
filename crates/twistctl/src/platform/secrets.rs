//! The local platform's secrets: made once, kept in a file that only its owner can read.

use crate::{CtlError, Paths};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stack::{Passwords, random_hex};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

/// Every secret, as hex digits.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secrets {
    postgres_admin: String,
    postgres_owner: String,
    postgres_app: String,
    /// Redis' password.
    pub redis: String,
    /// Seals auth-service's signing keys.
    pub key_encryption_key: String,
    /// Between the edge and influencer-api.
    pub ingest: String,
    /// Of the integrator [`Secrets::INTEGRATOR`].
    pub integrator: String,
    /// Signs the edge's challenges; none in the file of a platform that had no security-worker.
    #[serde(default)]
    challenge: String,
    /// Seed of the demo wallet.
    pub demo_wallet: String,
    /// Seed of the demo device.
    pub demo_device: String,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// Names the ingest secret.
    pub const INGEST_KEY: &str = "edge_local";
    /// The integrator that the smoke journeys sign as.
    pub const INTEGRATOR: &str = "smoke";

    /// Reads them; makes them the first time.
    pub fn load_or_make(paths: &Paths) -> Result<Self, CtlError> {
        let path = paths.state.join("secrets.json");
        if path.exists() {
            let text = fs::read(&path).map_err(CtlError::io("read", &path))?;
            let mut secrets: Self =
                serde_json::from_slice(&text).map_err(|source| CtlError::Damaged {
                    path: path.clone(),
                    source,
                })?;
            if secrets.challenge.is_empty() {
                secrets.challenge = random_hex(32)?;
                secrets.save(&path)?;
            }
            return Ok(secrets);
        }
        let secrets = Self::generate()?;
        secrets.save(&path)?;
        Ok(secrets)
    }

    fn save(&self, path: &std::path::Path) -> Result<(), CtlError> {
        let text = serde_json::to_vec_pretty(self).map_err(|source| CtlError::Damaged {
            path: path.to_owned(),
            source,
        })?;
        write_private(path, &text)
    }

    /// Signs the edge's challenges.
    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    fn generate() -> Result<Self, CtlError> {
        let make = || random_hex(32);
        Ok(Self {
            postgres_admin: make()?,
            postgres_owner: make()?,
            postgres_app: make()?,
            redis: make()?,
            key_encryption_key: make()?,
            ingest: make()?,
            integrator: make()?,
            challenge: make()?,
            demo_wallet: make()?,
            demo_device: make()?,
        })
    }

    /// Opens the edge's figures. Follows from another secret, so that a platform made before it existed has it too.
    pub fn operator(&self) -> String {
        hex::encode(Sha256::digest(format!("operator {}", self.ingest)))
    }

    /// What the weekly salts of cohorts follow from; follows from another secret for the same reason.
    pub fn cohorts(&self) -> String {
        hex::encode(Sha256::digest(format!("cohorts {}", self.ingest)))
    }

    /// Those of the database's roles.
    pub fn passwords(&self) -> Passwords {
        Passwords {
            admin: self.postgres_admin.clone(),
            owner: self.postgres_owner.clone(),
            app: self.postgres_app.clone(),
        }
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &std::path::Path, bytes: &[u8]) -> Result<(), CtlError> {
    let draft = path.with_extension("new");
    let io = |doing| CtlError::io(doing, &draft);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&draft)
        .map_err(io("open"))?;
    file.write_all(bytes).map_err(io("write"))?;
    file.sync_all().map_err(io("write"))?;
    fs::rename(&draft, path).map_err(io("rename"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_made_once_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths {
            root: folder.path().into(),
            cache: folder.path().into(),
            state: folder.path().into(),
        };
        let first = Secrets::load_or_make(&paths).unwrap();
        let again = Secrets::load_or_make(&paths).unwrap();
        assert_eq!(first.ingest, again.ingest);
        assert_ne!(first.ingest, first.redis);
        assert_eq!(first.challenge, again.challenge);
        let file = folder.path().join("secrets.json");
        let old = fs::read_to_string(&file).unwrap();
        let old = old.replace(&format!("\"challenge\": \"{}\",", first.challenge), "");
        fs::write(&file, old).unwrap();
        let upgraded = Secrets::load_or_make(&paths).unwrap();
        assert_eq!(
            (upgraded.ingest.as_str(), upgraded.challenge.len()),
            (first.ingest.as_str(), 64)
        );
        assert_eq!(
            Secrets::load_or_make(&paths).unwrap().challenge,
            upgraded.challenge
        );
        let mode = fs::metadata(folder.path().join("secrets.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(&first.ingest));
    }
}
