//! Salts and pseudonyms that change every week. Nothing is kept: they follow from a secret and the week.

use super::Cohort;
use crate::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::EpochMs;
use domain::bytes::{Canonical, sha256};
use domain::http_hmac::hmac_sha256;

const DAY_MS: u64 = 86_400_000;
/// 1970-01-01 was a Thursday; weeks start on Monday.
const DAYS_BEFORE: u64 = 3;

/// A week, counted from that of 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Week(u64);

impl Week {
    /// The week in which a moment lies.
    pub const fn of(moment: EpochMs) -> Self {
        Self((moment.utc_day() + DAYS_BEFORE) / 7)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one before.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// When what was made in it is no longer accepted: at the end of the week after.
    pub const fn expires_at(self) -> u64 {
        ((self.0 + 2) * 7).saturating_sub(DAYS_BEFORE) * DAY_MS
    }
}

/// A week's salt: anyone may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// HMAC-SHA-256 of `"twist-cohort-salt-v1" u64le(week)`.
    pub fn of(secret: &Secret, week: Week) -> Self {
        let message = Canonical::tagged("twist-cohort-salt-v1").u64(week.0);
        Self(hmac_sha256(secret.bytes(), message.as_bytes()))
    }

    /// base64url without padding.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// A cohort as an element of a filter: SHA-256 of `"twist-cohort-v1" salt lp(cohort)`.
    pub fn element(&self, cohort: &Cohort) -> [u8; 32] {
        sha256(
            Canonical::tagged("twist-cohort-v1")
                .fixed(&self.0)
                .lp(cohort.as_str().as_bytes())
                .as_bytes(),
        )
    }
}

/// A user's name in one week, which nobody without the secret can follow into the next or back to the user:
/// HMAC-SHA-256 of `"twist-pseudonym-v1" u64le(week) lp(id)`, the first 16 bytes in hex.
pub fn pseudonym(secret: &Secret, week: Week, id: &str) -> String {
    let message = Canonical::tagged("twist-pseudonym-v1")
        .u64(week.0)
        .lp(id.as_bytes());
    let mut name = hex::encode(hmac_sha256(secret.bytes(), message.as_bytes()));
    name.truncate(32);
    name
}
