//! Wallet sign-in.

use domain::WalletAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /auth/nonce`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NonceRequest {
    /// The wallet that will sign.
    pub wallet_address: WalletAddress,
}

/// A sign-in attempt: what the wallet has to sign.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NonceResponse {
    /// The wallet that must sign.
    pub wallet_address: WalletAddress,
    /// One-time value, part of the message.
    pub nonce: String,
    /// The text to sign, byte for byte (UTF-8).
    pub message: String,
    /// Seconds until the nonce is void.
    pub ttl_seconds: u64,
    /// The same as fields, for wallets with `signIn`.
    pub sign_in_input: SignInInput,
}

/// The Sign-In-With-Solana input of the wallet standard.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignInInput {
    /// Host that asks.
    pub domain: String,
    /// The wallet.
    pub address: WalletAddress,
    /// One line for the person.
    pub statement: String,
    /// What the sign-in is for.
    pub uri: String,
    /// `1`.
    pub version: String,
    /// For example `solana:devnet`.
    pub chain_id: String,
    /// One-time value.
    pub nonce: String,
    /// RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub issued_at: String,
    /// RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub expiration_time: String,
    /// The server's id of the attempt.
    pub request_id: String,
}

/// `POST /auth/verify`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyRequest {
    /// The wallet that signed.
    pub wallet_address: WalletAddress,
    /// The message exactly as `/auth/nonce` gave it.
    #[cfg_attr(feature = "schema", schemars(length(min = 64, max = 2048)))]
    pub message: String,
    /// Ed25519 signature of the message's bytes, base58 or base64 of 64 bytes.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 64, max = 88), regex(pattern = r"^[A-Za-z0-9+/]+={0,2}$"))
    )]
    pub signature: String,
}

/// A signed-in session.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenResponse {
    /// Always `Bearer`.
    pub token_type: String,
    /// `EdDSA` JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// For `POST /auth/refresh`; works once, `twr_` and base64url.
    pub refresh_token: String,
    /// Seconds until the refresh token expires unless it is used; the session's own end may come sooner.
    pub refresh_expires_in: u64,
}

/// `POST /auth/refresh`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshRequest {
    /// The newest refresh token of the session.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(pattern = r"^twr_[A-Za-z0-9_-]{50}$"))
    )]
    pub refresh_token: String,
}

/// One open session of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionInfo {
    /// Its id, the `sid` of its tokens.
    pub id: Uuid,
    /// The wallet that signed in.
    pub wallet_address: WalletAddress,
    /// RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// When it was last refreshed, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub last_used_at: String,
    /// When it ends, however much it is used, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub expires_at: String,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// `GET /auth/sessions`, newest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionList {
    /// Open sessions of the user, at most 20.
    pub sessions: Vec<SessionInfo>,
}

/// `POST /auth/logout-all`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionsEnded {
    /// How many sessions this request ended, the caller's own included.
    pub ended: u32,
}

/// Wallets a user can have at a time.
pub const MAX_WALLETS_PER_USER: u32 = 10;

/// `POST /auth/wallets/nonce`: the caller wants to link another wallet. Answered with a [`NonceResponse`] whose
/// message names both wallets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkWalletNonceRequest {
    /// The wallet to link.
    pub wallet_address: WalletAddress,
}

/// `POST /auth/wallets`: both wallets sign the same message.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkWalletRequest {
    /// The wallet to link.
    pub wallet_address: WalletAddress,
    /// The message exactly as `/auth/wallets/nonce` gave it.
    #[cfg_attr(feature = "schema", schemars(length(min = 64, max = 2048)))]
    pub message: String,
    /// Its signature by the wallet to link, base58 or base64 of 64 bytes.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 64, max = 88), regex(pattern = r"^[A-Za-z0-9+/]+={0,2}$"))
    )]
    pub signature: String,
    /// Its signature by the wallet that is signed in.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 64, max = 88), regex(pattern = r"^[A-Za-z0-9+/]+={0,2}$"))
    )]
    pub current_signature: String,
}

/// A wallet of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkedWallet {
    /// The wallet.
    pub wallet_address: WalletAddress,
    /// RFC 3339.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub linked_at: String,
}

/// `GET /auth/wallets` and `POST /auth/wallets`: every wallet of the user, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WalletList {
    /// At least one.
    pub wallets: Vec<LinkedWallet>,
}

/// `GET /.well-known/jwks.json` (RFC 7517).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Jwks {
    /// The keys a verifier accepts.
    pub keys: Vec<Jwk>,
}

/// One Ed25519 public key (RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// The key, base64url without padding.
    pub x: String,
    /// Names the key in a token's header.
    pub kid: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub use_: String,
    /// `EdDSA`.
    pub alg: String,
}
