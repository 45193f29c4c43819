//! The published page of the configuration is the code's, and the published example is a configuration.

use conformance::example::Example;
use settlement_worker::config::{Config, PREFIX};

const PUBLISHED: Example = Example {
    service: "settlement-worker",
    program: env!("CARGO_BIN_EXE_settlement-worker"),
    prefix: PREFIX,
    secrets: &[],
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
