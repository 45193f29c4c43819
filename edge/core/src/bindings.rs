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
/// The bucket of the audit log's segments and roots, and of a second copy of the segments of VAUs.
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
/// Batches an address may send in a minute.
pub const RATE_BATCH_PER_MINUTE: &str = "RATE_BATCH_PER_MINUTE";
/// `on`: what a day of the free plan holds is a limit. `off`: the account is a paid one.
pub const FREE_TIER: &str = "FREE_TIER";
/// Opens operators' routes (secret).
pub const OPERATOR_TOKEN: &str = "OPERATOR_TOKEN";
/// The queue that carries what each hour has promised.
pub const REWARD_QUEUE: &str = "REWARD_QUEUE";
/// The queue that carries each hour's figures.
pub const ANALYTICS_QUEUE: &str = "ANALYTICS_QUEUE";
/// Base units that may be promised in a UTC day.
pub const EMISSION_CAP: &str = "EMISSION_CAP";
/// How long an unacknowledged segment waits before it is sent again, at first.
pub const RESEND_AFTER_MS: &str = "RESEND_AFTER_MS";
/// Web origins whose pages may call, separated by commas.
pub const ALLOWED_ORIGINS: &str = "ALLOWED_ORIGINS";
/// The Durable Object namespace of [`COHORT_CENSUS_CLASS`].
pub const COHORT_CENSUS: &str = "COHORT_CENSUS";
/// The Durable Object class that counts members of cohorts.
pub const COHORT_CENSUS_CLASS: &str = "CohortCensus";
/// Members a cohort needs to be in a filter.
pub const COHORT_K: &str = "COHORT_K";
/// What the weekly salts and pseudonyms follow from (secret).
pub const COHORT_SECRET: &str = "COHORT_SECRET";
/// The domain that credentials are for.
pub const WEBAUTHN_RP_ID: &str = "WEBAUTHN_RP_ID";
/// Origins on whose pages credentials may be used, separated by commas.
pub const WEBAUTHN_ORIGINS: &str = "WEBAUTHN_ORIGINS";
/// Whether the user has to be recognised by the authenticator.
pub const WEBAUTHN_REQUIRE_VERIFICATION: &str = "WEBAUTHN_REQUIRE_VERIFICATION";

/// Variables anyone may read.
pub const VARS: [&str; 16] = [
    JWKS_URL,
    TOKEN_ISSUER,
    BACKEND_URL,
    BACKEND_KEY_ID,
    FLUSH_INTERVAL_MS,
    RATE_VAU_PER_MINUTE,
    RATE_BATCH_PER_MINUTE,
    FREE_TIER,
    EMISSION_CAP,
    RESEND_AFTER_MS,
    ALLOWED_ORIGINS,
    AUDIT_FLUSH_MS,
    WEBAUTHN_RP_ID,
    WEBAUTHN_ORIGINS,
    WEBAUTHN_REQUIRE_VERIFICATION,
    COHORT_K,
];

/// Variables nobody may read.
pub const SECRETS: [&str; 5] = [
    BACKEND_HMAC_SECRET,
    INTEGRATOR_KEYS,
    OPERATOR_TOKEN,
    AUDIT_SIGNING_KEY,
    COHORT_SECRET,
];

/// What security-worker asks for.
pub mod guard {
    pub use super::ALLOWED_ORIGINS;

    /// The script at the route.
    pub const WORKER: &str = "security-worker";
    /// The Worker behind it.
    pub const VAU_PROCESSOR: &str = "VAU_PROCESSOR";

    /// The Durable Object namespace of [`LIMITER_CLASS`].
    pub const LIMITER: &str = "RATE_LIMITER";
    /// The Durable Object class, of the other script.
    pub const LIMITER_CLASS: &str = "RateLimiter";
    /// The Durable Object namespace of the audit log.
    pub const AUDIT_LOG: &str = "AUDIT_LOG";

    /// ISO codes of countries that are refused, separated by commas.
    pub const GEO_BLOCK: &str = "GEO_BLOCK";
    /// Rules that are watched and not enforced, separated by commas.
    pub const FIREWALL_SHADOW: &str = "FIREWALL_SHADOW";
    /// Zero bits of a proof of work.
    pub const CHALLENGE_DIFFICULTY: &str = "CHALLENGE_DIFFICULTY";
    /// Requests that an address may make in a minute where no VAUs are taken in.
    pub const RATE_READ_PER_MINUTE: &str = "RATE_READ_PER_MINUTE";
    /// Who is asked about a token of Turnstile.
    pub const TURNSTILE_URL: &str = "TURNSTILE_URL";
    /// For Turnstile's widget.
    pub const TURNSTILE_SITE_KEY: &str = "TURNSTILE_SITE_KEY";
    /// Signs challenges, and hashes networks for the audit log (secret).
    pub const CHALLENGE_SECRET: &str = "CHALLENGE_SECRET";
    /// Asks about tokens of Turnstile (secret).
    pub const TURNSTILE_SECRET: &str = "TURNSTILE_SECRET";

    /// Variables anyone may read.
    pub const VARS: [&str; 7] = [
        ALLOWED_ORIGINS,
        GEO_BLOCK,
        FIREWALL_SHADOW,
        CHALLENGE_DIFFICULTY,
        RATE_READ_PER_MINUTE,
        TURNSTILE_URL,
        TURNSTILE_SITE_KEY,
    ];

    /// Variables nobody may read.
    pub const SECRETS: [&str; 2] = [CHALLENGE_SECRET, TURNSTILE_SECRET];
}

#[cfg(test)]
#[path = "bindings_tests.rs"]
mod tests;
