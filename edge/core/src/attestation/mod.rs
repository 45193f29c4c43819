//! `WebAuthn`: whether an authenticator of the user's took part in a VAU, and which ones may.
//!
//! All that can be judged without a signature check is here. [`assertion`] gives the bytes, the key and the signature
//! that WebCrypto has to look at, [`Assertion::believe`] what follows from its answer. [`registration`] judges a new
//! credential: what the authenticator says of its make is recorded, not believed.
//!
//! All fields of an attestation are base64url without padding.

mod assertion;
mod authenticator;
mod cbor;
mod client_data;
mod cose;
mod der;
mod registration;

#[cfg(test)]
mod tests;

pub use assertion::{Assertion, assertion};
pub use cose::CoseKey;
pub use der::ecdsa_raw;
pub use registration::{MAX_OBJECT_BYTES, NewCredential, registration};

use crate::SettingsError;
use crate::bindings::{WEBAUTHN_ORIGINS, WEBAUTHN_REQUIRE_VERIFICATION, WEBAUTHN_RP_ID};

/// Which site and pages credentials are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The relying party's id: a domain.
    pub rp_id: String,
    /// The exact origins of pages and apps.
    pub origins: Vec<String>,
    /// Whether the user has to have been recognised (PIN, finger), not only present.
    pub require_user_verification: bool,
}

impl Policy {
    /// Reads the bindings through `value`, which gives a binding's text or nothing. Without origins nothing is believed.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let given = |name| value(name).filter(|text| !text.is_empty());
        let require_user_verification = match given(WEBAUTHN_REQUIRE_VERIFICATION).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                return Err(SettingsError::Malformed(
                    WEBAUTHN_REQUIRE_VERIFICATION,
                    "true or false",
                ));
            }
        };
        Ok(Self {
            rp_id: given(WEBAUTHN_RP_ID).unwrap_or_else(|| "localhost".to_owned()),
            origins: given(WEBAUTHN_ORIGINS)
                .unwrap_or_default()
                .split(',')
                .map(str::trim)
                .filter(|origin| !origin.is_empty())
                .map(str::to_owned)
                .collect(),
            require_user_verification,
        })
    }
}

/// What an attestation is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The credential's holder took part in this very VAU.
    Verified {
        /// The authenticator's counter, to be kept; 0 where it does not count.
        sign_count: u32,
        /// Whether the user was recognised.
        user_verified: bool,
    },
    /// It proves nothing.
    Invalid(Reason),
    /// The credential's key is of a kind that cannot be checked here.
    Unsupported,
}

/// Why something is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Not what a browser or authenticator writes.
    #[error("it cannot be read")]
    Malformed,
    /// By another credential.
    #[error("it is of another credential")]
    Credential,
    /// `type` is another one.
    #[error("the ceremony is another one")]
    Type,
    /// Made for something else.
    #[error("the challenge is another one")]
    Challenge,
    /// Made on another page.
    #[error("the origin is none of the accepted ones")]
    Origin,
    /// Made for another site.
    #[error("the relying party is another one")]
    RpId,
    /// Nobody touched the authenticator.
    #[error("the user was not present")]
    UserAbsent,
    /// The user was not recognised.
    #[error("the user was not verified")]
    UserNotVerified,
    /// The counter has not moved on: a copy of the credential, or of the assertion.
    #[error("the signature counter has not moved on")]
    Replayed,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// A key of another kind.
    #[error("the key is none of ES256, EdDSA, RS256")]
    UnsupportedKey,
}

impl Reason {
    /// A stable name, for the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Credential => "credential",
            Self::Type => "type",
            Self::Challenge => "challenge",
            Self::Origin => "origin",
            Self::RpId => "rp_id",
            Self::UserAbsent => "user_absent",
            Self::UserNotVerified => "user_not_verified",
            Self::Replayed => "replayed",
            Self::Signature => "signature",
            Self::UnsupportedKey => "unsupported_key",
        }
    }
}
