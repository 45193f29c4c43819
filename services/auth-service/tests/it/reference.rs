//! The published page of the configuration is the code's, and the published example is a configuration.

use auth_service::config::{Config, PREFIX};
use conformance::example::{Example, told};

const KEY: &str = "abababababababababababababababababababababababababababababababab";

const PUBLISHED: Example = Example {
    service: "auth-service",
    program: env!("CARGO_BIN_EXE_auth-service"),
    prefix: PREFIX,
    secrets: &[("key_encryption_key", "key_encryption_key", KEY)],
};

#[test]
fn the_published_page_of_the_configuration_is_the_codes() {
    PUBLISHED.assert_page::<Config>();
}

#[test]
fn the_published_example_with_its_secrets_as_credentials_is_a_configuration() {
    PUBLISHED.assert_example();
}

#[test]
fn a_secret_that_is_no_good_is_named_and_not_shown() {
    PUBLISHED.assert_bad_secrets_are_named();
}

#[test]
fn a_key_cannot_be_set_to_sign_before_every_verifier_knows_it() {
    let check = |announce: &str, max_age: &str| {
        PUBLISHED.check_example(|command| {
            for (key, value) in [
                ("database.url", "postgres://127.0.0.1/twist"),
                ("redis.url", "redis://127.0.0.1"),
                ("key_encryption_key", KEY),
                ("key_refresh_seconds", "5"),
                ("key_announce_seconds", announce),
                ("verifier_max_age_seconds", max_age),
            ] {
                command.env(PUBLISHED.variable(key), value);
            }
        })
    };
    for (announce, max_age) in [("307", "300"), ("9", "2")] {
        let output = check(announce, max_age);
        assert!(output.status.success(), "{output:?}");
    }
    for (announce, max_age) in [("306", "300"), ("60", "300"), ("8", "2")] {
        let text = told(&check(announce, max_age));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.starts_with("auth-service: key_announce_seconds ("),
            "{text}"
        );
    }
}
