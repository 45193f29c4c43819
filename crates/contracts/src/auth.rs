//! Wallet sign-in.

use domain::WalletAddress;
use serde::{Deserialize, Serialize};

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
    pub issued_at: String,
    /// RFC 3339.
    pub expiration_time: String,
    /// The server's id of the attempt.
    pub request_id: String,
}

/// `POST /auth/verify`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyRequest {
    /// The wallet that signed.
    pub wallet_address: WalletAddress,
    /// The message exactly as `/auth/nonce` gave it.
    pub message: String,
    /// Ed25519 signature of the message's bytes, base58 or base64 of 64 bytes.
    pub signature: String,
}

/// A signed-in session.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenResponse {
    /// Always `Bearer`.
    pub token_type: String,
    /// `EdDSA` JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
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
