//! The published page of the configuration is the code's, and the published example is a configuration.

use auth_service::config::{Config, PREFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PAGE: &str = "docs/reference/config/auth-service.md";
const EXAMPLE: &str = "docs/reference/config/auth-service.toml";
const SECRET: &str = "key_encryption_key";
const SECRET_VARIABLE: &str = "TWIST_AUTH__KEY_ENCRYPTION_KEY";
const KEY: &str = "abababababababababababababababababababababababababababababababab";

fn published(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

#[test]
fn the_published_page_of_the_configuration_is_the_codes() {
    let text = format!(
        "# Configuration of auth-service\n\nMade from the code: `TWIST_UPDATE_REFERENCE=1 cargo test --test it -- reference::` writes it. \
         How values are given: [config.md](../config.md).\n\n{}",
        service::config::reference::<Config>(PREFIX)
    );
    let path = published(PAGE);
    if std::env::var_os("TWIST_UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == text,
        "{PAGE} is out of date; TWIST_UPDATE_REFERENCE=1 cargo test --test it -- reference:: writes it"
    );
}

fn check(configure: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("TWIST_") || name == "CREDENTIALS_DIRECTORY" {
            command.env_remove(name);
        }
    }
    configure(&mut command);
    command.arg("check-config").output().unwrap()
}

#[test]
fn the_published_example_with_its_secrets_as_credentials_is_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "database.url",
            "postgres://twist_app:canary@127.0.0.1/twist",
        ),
        ("redis.url", "redis://:canary@127.0.0.1"),
        (SECRET, KEY),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let by_option = check(|command| {
        command
            .arg("--config")
            .arg(published(EXAMPLE))
            .env("CREDENTIALS_DIRECTORY", folder.path());
    });
    assert!(by_option.status.success(), "{by_option:?}");
    let by_variable = check(|command| {
        command
            .env(format!("{PREFIX}_CONFIG"), published(EXAMPLE))
            .env("CREDENTIALS_DIRECTORY", folder.path());
    });
    assert!(by_variable.status.success(), "{by_variable:?}");
    // Without its secrets it says which they are, one a line.
    let bare = check(|command| {
        command.arg("--config").arg(published(EXAMPLE));
    });
    let text = String::from_utf8_lossy(&bare.stderr).into_owned();
    assert_eq!(bare.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    for key in ["database.url", "redis.url", "key_encryption_key"] {
        let line = format!("auth-service: {key} ({PREFIX}__");
        assert!(text.lines().any(|told| told.starts_with(&line)), "{text}");
    }
}

#[test]
fn a_key_cannot_be_set_to_sign_before_every_verifier_knows_it() {
    let told = |announce: &str, max_age: &str| {
        check(|command| {
            command
                .arg("--config")
                .arg(published(EXAMPLE))
                .env(
                    format!("{PREFIX}__DATABASE__URL"),
                    "postgres://127.0.0.1/twist",
                )
                .env(format!("{PREFIX}__REDIS__URL"), "redis://127.0.0.1")
                .env(SECRET_VARIABLE, KEY)
                .env(format!("{PREFIX}__KEY_REFRESH_SECONDS"), "5")
                .env(format!("{PREFIX}__KEY_ANNOUNCE_SECONDS"), announce)
                .env(format!("{PREFIX}__VERIFIER_MAX_AGE_SECONDS"), max_age);
        })
    };
    for (announce, max_age) in [("307", "300"), ("9", "2")] {
        let output = told(announce, max_age);
        assert!(output.status.success(), "{output:?}");
    }
    for (announce, max_age) in [("306", "300"), ("60", "300"), ("8", "2")] {
        let output = told(announce, max_age);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.starts_with("auth-service: key_announce_seconds ("),
            "{text}"
        );
    }
}

#[test]
fn a_secret_that_is_no_good_is_named_and_not_shown() {
    let told = check(|command| {
        command
            .arg("--config")
            .arg(published(EXAMPLE))
            .env(format!("{PREFIX}__DATABASE__URL"), "mysql://canary-a")
            .env(format!("{PREFIX}__REDIS__URL"), "http://canary-b")
            .env(SECRET_VARIABLE, "canary-c");
    });
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&told.stderr),
        String::from_utf8_lossy(&told.stdout)
    );
    assert_eq!(told.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains("canary"), "{text}");
    for key in ["database.url", "redis.url", SECRET] {
        assert!(text.contains(key), "{text}");
    }
}
