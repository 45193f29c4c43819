//! What a wallet is asked to sign, and what is remembered of it.

use super::nonce::Nonce;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::{NonceResponse, SignInInput};
use domain::WalletAddress;
use domain::bytes::sha256;
use domain::siws::SignInMessage;
use service::clock;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// Makes sign-in messages of one environment.
#[derive(Debug, Clone)]
pub(crate) struct Challenger {
    pub(crate) domain: String,
    pub(crate) uri: String,
    pub(crate) chain_id: String,
    pub(crate) statement: String,
    /// How long a message can be used.
    pub(crate) ttl: Duration,
}

/// A message that waits for its signature.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    pub(crate) nonce: Nonce,
    pub(crate) message: SignInMessage,
    pub(crate) ttl: Duration,
}

impl Challenger {
    /// The message that `wallet` has to sign, made at `now`.
    pub(crate) fn challenge(
        &self,
        wallet: WalletAddress,
        nonce: Nonce,
        now: OffsetDateTime,
    ) -> Challenge {
        // Milliseconds: what a wallet or a browser can read back.
        let now = now
            .replace_nanosecond(u32::from(now.millisecond()) * 1_000_000)
            .unwrap_or(now);
        let message = SignInMessage {
            domain: self.domain.clone(),
            address: wallet,
            statement: self.statement.clone(),
            uri: self.uri.clone(),
            chain_id: self.chain_id.clone(),
            nonce: nonce.to_string(),
            issued_at: clock::rfc3339(now),
            expiration_time: clock::rfc3339(now + self.ttl),
            request_id: Uuid::now_v7().to_string(),
        };
        Challenge {
            nonce,
            message,
            ttl: self.ttl,
        }
    }

    /// A message with the texts of the configuration, to see whether it reads back.
    pub(crate) fn sample(&self) -> SignInMessage {
        self.challenge(
            WalletAddress::from_bytes([9; 32]),
            Nonce::from_bits(0),
            OffsetDateTime::UNIX_EPOCH,
        )
        .message
    }
}

impl From<Challenge> for NonceResponse {
    fn from(challenge: Challenge) -> Self {
        let message = challenge.message;
        Self {
            wallet_address: message.address,
            nonce: message.nonce.clone(),
            message: message.to_string(),
            ttl_seconds: challenge.ttl.as_secs(),
            sign_in_input: SignInInput {
                domain: message.domain,
                address: message.address,
                statement: message.statement,
                uri: message.uri,
                version: "1".to_owned(),
                chain_id: message.chain_id,
                nonce: message.nonce,
                issued_at: message.issued_at,
                expiration_time: message.expiration_time,
                request_id: message.request_id,
            },
        }
    }
}

/// What is stored under a nonce: the hash of the text that was given out. Small, so that a flood of
/// nonces costs little; and nobody can make another text with this hash.
pub(crate) fn fingerprint(message: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(message.as_bytes()))
}

/// Whether the message is past its time at `now`. The store forgets nonces by itself; this also holds for
/// a store that came back from a backup.
pub(crate) fn expired(message: &SignInMessage, now: OffsetDateTime) -> bool {
    OffsetDateTime::parse(&message.expiration_time, &Rfc3339).map_or(true, |end| end <= now)
}
