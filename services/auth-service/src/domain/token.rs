//! What an access token says.

use contracts::token::{AUDIENCE, AccessClaims, VERSION};
use domain::WalletAddress;
use std::time::Duration;
use uuid::Uuid;

/// Who issues tokens, and for how long they are good.
#[derive(Debug, Clone)]
pub(crate) struct TokenPolicy {
    /// The exact `iss`.
    pub(crate) issuer: String,
    /// `exp - iat`.
    pub(crate) ttl: Duration,
}

/// A session that can be used.
#[derive(Debug, Clone)]
pub(crate) struct LiveSession {
    pub(crate) id: Uuid,
    pub(crate) user: Uuid,
    pub(crate) wallet: WalletAddress,
    pub(crate) roles: Vec<String>,
    /// Until it ends, however much it is used.
    pub(crate) left: Duration,
}

impl TokenPolicy {
    /// The claims for `session`, issued at `now` (seconds since the epoch). They end with the session.
    pub(crate) fn claims(&self, session: LiveSession, now: u64) -> AccessClaims {
        AccessClaims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: session.wallet,
            wallet_address: session.wallet,
            uid: session.user,
            sid: session.id,
            jti: Uuid::now_v7(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(self.ttl.min(session.left).as_secs()),
            ver: VERSION,
            roles: session.roles,
            influencer_id: None,
        }
    }
}
