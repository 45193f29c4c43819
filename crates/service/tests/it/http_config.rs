//! The sections `http` and `limits`.

use schemars::JsonSchema;
use serde::Deserialize;
use service::config::{ConfigError, HttpConfig, Problems, load_from};
use service::limit::{RateClass, RateLimits};
use std::ffi::OsString;
use std::time::Duration;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    http: HttpConfig,
    #[serde(default)]
    limits: RateLimits,
}

fn load(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let variables: Vec<(OsString, OsString)> = variables
        .iter()
        .map(|(name, value)| (format!("TWIST_TEST__{name}").into(), value.into()))
        .collect();
    let settings: Settings = load_from("TWIST_TEST", None, variables)?;
    let mut problems = Problems::new("TWIST_TEST");
    settings.http.check(&mut problems);
    problems.into_result()?;
    Ok(settings)
}

#[test]
fn the_defaults_are_the_numbers_of_the_first_system() {
    let limits = load(&[]).unwrap().limits;
    let of = |class| {
        let limit = limits.of(class).unwrap();
        assert_eq!(limit.period, Duration::from_mins(1));
        (limit.limit, limit.block.as_secs())
    };
    assert_eq!(of(RateClass::SignIn), (120, 600));
    assert_eq!(of(RateClass::NoncePerWallet), (5, 0));
    assert_eq!(of(RateClass::Registration), (10, 0));
    assert_eq!(of(RateClass::Session), (60, 0));
    assert_eq!(of(RateClass::Read), (6_000, 0));
    assert_eq!(of(RateClass::Write), (600, 0));
    assert_eq!(of(RateClass::Money), (60, 0));
    assert_eq!(of(RateClass::Operate), (60, 0));
    assert_eq!(limits.of(RateClass::Unlimited), None);
}

#[test]
fn a_part_of_a_limit_can_be_changed_alone() {
    let settings = load(&[
        ("LIMITS__SIGN_IN__LIMIT", "7"),
        ("LIMITS__SESSION__BLOCK_SECONDS", "30"),
        (
            "HTTP__ALLOWED_ORIGINS",
            "https://a.example, http://localhost:3000",
        ),
        ("HTTP__TRUSTED_PROXIES", "127.0.0.1,fd00::/8"),
    ])
    .unwrap();
    let limit = settings.limits.of(RateClass::SignIn).unwrap();
    assert_eq!((limit.limit, limit.block), (7, Duration::from_mins(10)));
    let limit = settings.limits.of(RateClass::Session).unwrap();
    assert_eq!((limit.limit, limit.block), (60, Duration::from_secs(30)));
    assert_eq!(settings.http.allowed_origins.len(), 2);
    assert_eq!(settings.http.trusted_proxies.len(), 2);
    assert_eq!(settings.http.drain(), Duration::from_secs(30));
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_name_of_the_key_and_without_its_value() {
    for (name, value) in [
        ("LIMITS__SIGN_IN__LIMIT", "0"),
        ("LIMITS__SIGN_IN__LIMIT", "1000001"),
        ("LIMITS__SIGN_IN__LIMIT", "canary"),
        ("LIMITS__SIGN_IN__LIMIT", "-1"),
        ("LIMITS__READ__PERIOD_SECONDS", "0"),
        ("LIMITS__READ__PERIOD_SECONDS", "90000"),
        ("LIMITS__MONEY__BLOCK_SECONDS", "90000"),
        ("LIMITS__MONEY__BURST", "5"),
        ("LIMITS__NO_SUCH_CLASS__LIMIT", "5"),
        ("LIMITS__READ", "5"),
        ("HTTP__REQUEST_TIMEOUT_MS", "0"),
        ("HTTP__HEADER_TIMEOUT_MS", "0"),
        ("HTTP__MAX_CONNECTIONS", "0"),
        ("HTTP__MAX_IN_FLIGHT", "0"),
        ("HTTP__MAX_IN_FLIGHT", "many"),
        ("HTTP__DRAIN_SECONDS", "3601"),
        ("HTTP__CF_CONNECTING_IP", "perhaps"),
        ("HTTP__ALLOWED_ORIGINS", "*"),
        (
            "HTTP__ALLOWED_ORIGINS",
            "https://a.example,https://canary.example/path",
        ),
        ("HTTP__TRUSTED_PROXIES", "10.0.0.0/33"),
        ("HTTP__TRUSTED_PROXIES", "127.0.0.1,canary"),
        ("HTTP__NO_SUCH_KEY", "1"),
    ] {
        let told = load(&[(name, value)]).unwrap_err().to_string();
        let start = format!(
            "TWIST_TEST__{}",
            name.split("__").take(2).collect::<Vec<_>>().join("__")
        );
        assert!(told.contains(&start), "{name}: {told}");
        assert!(!told.contains("canary"), "{name}: {told}");
    }
}
