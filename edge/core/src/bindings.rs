//! The names the code asks the Workers runtime for: those of vau-processor here, those of security-worker in
//! [`guard`]. `edge/bindings.json` is the list that the local runner and the deployment read; the tests below
//! compare the two.

/// The script that keeps and counts VAUs.
pub const WORKER: &str = "vau-processor";

/// The Durable Object namespace of [`SHARD_CLASS`].
pub const SHARD: &str = "VAU_SHARD";
/// The Durable Object class.
pub const SHARD_CLASS: &str = "VauShard";
/// The queue that carries segments from the object to the consumer.
pub const QUEUE: &str = "VAU_QUEUE";

/// The Durable Object namespace of [`AUDIT_LOG_CLASS`].
pub const AUDIT_LOG: &str = "AUDIT_LOG";
/// The Durable Object class that chains audit records.
pub const AUDIT_LOG_CLASS: &str = "AuditLog";
/// The bucket of the audit log's segments and roots.
pub const AUDIT_LOGS: &str = "AUDIT_LOGS";
/// How long an audit record waits for others before its segment is closed.
pub const AUDIT_FLUSH_MS: &str = "AUDIT_FLUSH_MS";
/// Signs the audit log's daily roots (secret).
pub const AUDIT_SIGNING_KEY: &str = "AUDIT_SIGNING_KEY";

/// Where the keys that sign access tokens are published.
pub const JWKS_URL: &str = "JWKS_URL";
/// The exact `iss` of access tokens.
pub const TOKEN_ISSUER: &str = "TOKEN_ISSUER";
/// The service that counts VAUs, without a trailing slash.
pub const BACKEND_URL: &str = "BACKEND_URL";
/// Names the secret to the backend.
pub const BACKEND_KEY_ID: &str = "BACKEND_KEY_ID";
/// Signs requests to the backend (secret).
pub const BACKEND_HMAC_SECRET: &str = "BACKEND_HMAC_SECRET";
/// JSON object, key id to secret, of the integrators (secret).
pub const INTEGRATOR_KEYS: &str = "INTEGRATOR_KEYS";
/// How long an accepted VAU waits for company before it is sent on.
pub const FLUSH_INTERVAL_MS: &str = "FLUSH_INTERVAL_MS";
/// Requests an address may make in a minute.
pub const RATE_VAU_PER_MINUTE: &str = "RATE_VAU_PER_MINUTE";
/// Base units that may be promised in a UTC day.
pub const EMISSION_CAP: &str = "EMISSION_CAP";
/// How long an unacknowledged segment waits before it is sent again, at first.
pub const RESEND_AFTER_MS: &str = "RESEND_AFTER_MS";
/// Web origins whose pages may call, separated by commas.
pub const ALLOWED_ORIGINS: &str = "ALLOWED_ORIGINS";
/// The domain that credentials are for.
pub const WEBAUTHN_RP_ID: &str = "WEBAUTHN_RP_ID";
/// Origins on whose pages credentials may be used, separated by commas.
pub const WEBAUTHN_ORIGINS: &str = "WEBAUTHN_ORIGINS";
/// Whether the user has to be recognised by the authenticator.
pub const WEBAUTHN_REQUIRE_VERIFICATION: &str = "WEBAUTHN_REQUIRE_VERIFICATION";

/// Variables anyone may read.
pub const VARS: [&str; 13] = [
    JWKS_URL,
    TOKEN_ISSUER,
    BACKEND_URL,
    BACKEND_KEY_ID,
    FLUSH_INTERVAL_MS,
    RATE_VAU_PER_MINUTE,
    EMISSION_CAP,
    RESEND_AFTER_MS,
    ALLOWED_ORIGINS,
    AUDIT_FLUSH_MS,
    WEBAUTHN_RP_ID,
    WEBAUTHN_ORIGINS,
    WEBAUTHN_REQUIRE_VERIFICATION,
];

/// Variables nobody may read.
pub const SECRETS: [&str; 3] = [BACKEND_HMAC_SECRET, INTEGRATOR_KEYS, AUDIT_SIGNING_KEY];

/// What security-worker asks for.
pub mod guard {
    pub use super::ALLOWED_ORIGINS;

    /// The script at the route.
    pub const WORKER: &str = "security-worker";
    /// The Worker behind it.
    pub const VAU_PROCESSOR: &str = "VAU_PROCESSOR";

    /// Variables anyone may read.
    pub const VARS: [&str; 1] = [ALLOWED_ORIGINS];

    /// Variables nobody may read.
    pub const SECRETS: [&str; 0] = [];
}

#[cfg(test)]
#[path = "bindings_tests.rs"]
mod tests;
