//! Which build a running service is.

use serde::{Deserialize, Serialize};

/// `GET /version`. It is what the process says of itself: see `docs/reference/version.md` for what that
/// proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Version {
    /// The service, as its program is called: `auth-service`.
    pub service: String,
    /// The version of the release.
    pub version: String,
    /// The commit, 40 lower-case hex digits, as whoever started the process said; null if nobody did.
    pub revision: Option<String>,
    /// The program file that runs.
    pub binary: Binary,
}

/// The program file that a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Binary {
    /// SHA-256 of the file, 64 lower-case hex digits.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// The Nix store path that the file lies in; null when it lies elsewhere.
    pub store_path: Option<String>,
}
