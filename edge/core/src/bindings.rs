//! The names the code asks the Workers runtime for. `edge/bindings.json` is the list that the local
//! runner and the deployment read; the test below compares the two.

/// The Durable Object namespace of [`SHARD_CLASS`].
pub const SHARD: &str = "VAU_SHARD";
/// The Durable Object class.
pub const SHARD_CLASS: &str = "VauShard";
/// The queue that carries segments from the object to the consumer.
pub const QUEUE: &str = "VAU_QUEUE";

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
/// The bucket of segments and audit records.
pub const ARCHIVE: &str = "AUDIT_LOGS";
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

/// Variables anyone may read.
pub const VARS: [&str; 11] = [
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
];

/// Variables nobody may read.
pub const SECRETS: [&str; 3] = [BACKEND_HMAC_SECRET, INTEGRATOR_KEYS, OPERATOR_TOKEN];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn listed() -> Value {
        serde_json::from_str(include_str!("../../bindings.json")).unwrap()
    }

    fn names(list: &Value, key: &str) -> BTreeSet<String> {
        let of = |item: &Value| item[key].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(of).collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn no_binding_is_used_that_a_deployment_would_not_make() {
        let listed = listed();
        assert_eq!(names(&listed["vars"], "name"), set(&VARS));
        assert_eq!(names(&listed["secrets"], "name"), set(&SECRETS));
        assert_eq!(names(&listed["durableObjects"], "binding"), set(&[SHARD]));
        assert_eq!(
            names(&listed["durableObjects"], "class"),
            set(&[SHARD_CLASS])
        );
        assert_eq!(names(&listed["queues"], "binding"), set(&[QUEUE]));
    }

    #[test]
    fn a_segment_that_cannot_be_delivered_is_not_thrown_away() {
        let listed = listed();
        let consumer = &listed["queues"][0]["consumer"];
        assert!(consumer["maxRetries"].as_u64().unwrap() > 0);
        assert!(consumer["deadLetterQueue"].is_string());
        assert_eq!(listed["durableObjects"][0]["sqlite"], true);
    }

    #[test]
    fn the_listed_defaults_are_those_of_the_code() {
        let listed = listed();
        let vars = listed["vars"].as_array().unwrap().clone();
        let default_of = |name: &str| {
            vars.iter()
                .find(|v| v["name"] == name)
                .and_then(|v| v["default"].as_str().map(str::to_owned))
        };
        let required = |name: &str| match name {
            JWKS_URL => Some("http://127.0.0.1:1/jwks".to_owned()),
            TOKEN_ISSUER | BACKEND_URL => Some("http://127.0.0.1:1".to_owned()),
            BACKEND_KEY_ID | BACKEND_HMAC_SECRET => Some("k".repeat(32)),
            INTEGRATOR_KEYS => Some("{}".to_owned()),
            _ => None,
        };
        let bare = crate::Settings::read(required).unwrap();
        let listed = crate::Settings::read(|name| required(name).or_else(|| default_of(name)));
        assert_eq!(bare, listed.unwrap());
    }
}
