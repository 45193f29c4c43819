//! The published page of the configuration is the code's, and the published example is a configuration.

use influencer_api::config::{Config, PREFIX};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PAGE: &str = "docs/reference/config/influencer-api.md";
const EXAMPLE: &str = "docs/reference/config/influencer-api.toml";
const SECRET: &str = "ingest.keys.edge1";
const SECRET_VARIABLE: &str = "TWIST_API__INGEST__KEYS__EDGE1";
const KEY: &str = "abababababababababababababababababababababababababababababababab";

fn published(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

#[test]
fn the_published_page_of_the_configuration_is_the_codes() {
    let text = format!(
        "# Configuration of influencer-api\n\nMade from the code: `TWIST_UPDATE_REFERENCE=1 cargo test --test it -- reference::` writes it. \
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_influencer-api"));
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
    for key in ["database.url", "redis.url", "ingest.keys"] {
        let line = format!("influencer-api: {key} ({PREFIX}__");
        assert!(text.lines().any(|told| told.starts_with(&line)), "{text}");
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
