//! What a wallet is asked to sign, and what is remembered of it.

use super::nonce::Nonce;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::{NonceResponse, SignInInput};
use domain::WalletAddress;
use domain::bytes::sha256;
use domain::siws::SignInMessage;
use service::clock;
use std::fmt;
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

/// What a message is signed for. A nonce of one purpose is unknown to every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Signing in.
    SignIn,
    /// Linking the wallet to this user.
    Link(Uuid),
}

/// A message that waits for its signature.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    pub(crate) purpose: Purpose,
    pub(crate) nonce: Nonce,
    pub(crate) message: SignInMessage,
    pub(crate) ttl: Duration,
}

impl Challenger {
    /// The message that `wallet` has to sign to sign in, made at `now`.
    pub(crate) fn sign_in(
        &self,
        wallet: WalletAddress,
        nonce: Nonce,
        now: OffsetDateTime,
    ) -> Challenge {
        let statement = self.statement.clone();
        self.challenge(Purpose::SignIn, wallet, statement, nonce, now)
    }

    /// The message that `wallet` and `current`, a wallet of `user`, both have to sign, so that the first becomes one of
    /// the user's.
    pub(crate) fn link(
        &self,
        (user, current): (Uuid, WalletAddress),
        wallet: WalletAddress,
        nonce: Nonce,
        now: OffsetDateTime,
    ) -> Challenge {
        let statement = format!(
            "Link the wallet {wallet} to the TWIST user of the wallet {current}. From then on either wallet signs in \
             as this user. Both have to sign; this costs nothing and sends no transaction.",
        );
        self.challenge(Purpose::Link(user), wallet, statement, nonce, now)
    }

    fn challenge(
        &self,
        purpose: Purpose,
        wallet: WalletAddress,
        statement: String,
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
            statement,
            uri: self.uri.clone(),
            chain_id: self.chain_id.clone(),
            nonce: nonce.to_string(),
            issued_at: clock::rfc3339(now),
            expiration_time: clock::rfc3339(now + self.ttl),
            request_id: Uuid::now_v7().to_string(),
        };
        Challenge {
            purpose,
            nonce,
            message,
            ttl: self.ttl,
        }
    }

    /// Messages with the texts of the configuration, to see whether they read back.
    pub(crate) fn samples(&self) -> [SignInMessage; 2] {
        let wallet = WalletAddress::from_bytes([0xff; 32]);
        let (nonce, now) = (Nonce::from_bits(0), OffsetDateTime::UNIX_EPOCH);
        [
            self.sign_in(wallet, nonce.clone(), now),
            self.link((Uuid::nil(), wallet), wallet, nonce, now),
        ]
        .map(|challenge| challenge.message)
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

/// What is remembered of a message: its hash, and the wallet that it was given to. Small, so that a flood of nonces
/// costs little; and nobody can make another text with this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenOut {
    fingerprint: String,
    wallet: String,
}

impl GivenOut {
    /// Of `message`.
    pub(crate) fn new(message: &SignInMessage) -> Self {
        Self {
            fingerprint: fingerprint(&message.to_string()),
            wallet: message.address.to_string(),
        }
    }

    /// Reads what [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (fingerprint, wallet) = text.split_once('.')?;
        Some(Self {
            fingerprint: fingerprint.to_owned(),
            wallet: wallet.to_owned(),
        })
    }

    /// Whether `message` is the very text.
    pub(crate) fn is_of(&self, message: &str) -> bool {
        self.fingerprint == fingerprint(message)
    }

    /// Whether it was given to `wallet`.
    pub(crate) fn is_for(&self, wallet: WalletAddress) -> bool {
        self.wallet == wallet.to_string()
    }
}

impl fmt::Display for GivenOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.fingerprint, self.wallet)
    }
}

fn fingerprint(message: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(message.as_bytes()))
}

/// Whether the message is past its time at `now`. The store forgets nonces by itself; this also holds for
/// a store that came back from a backup.
pub(crate) fn expired(message: &SignInMessage, now: OffsetDateTime) -> bool {
    OffsetDateTime::parse(&message.expiration_time, &Rfc3339).map_or(true, |end| end <= now)
}
