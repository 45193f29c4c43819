//! Configuration.

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use service::config::{ConfigError, DatabaseConfig, Secret, load_from};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    database: DatabaseConfig,
    #[serde(default)]
    keys: BTreeMap<String, Secret>,
    #[serde(default)]
    ttl: u64,
}

fn load(
    file: Option<&std::path::Path>,
    variables: &[(&str, &str)],
) -> Result<Settings, ConfigError> {
    let variables: Vec<(OsString, OsString)> = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    load_from("TWIST_TEST", file, variables)
}

#[test]
fn a_secret_is_read_as_it_is_written_and_never_printed() {
    for secret in [
        "plain",
        "0123",
        "123",
        "1e5",
        "[a]",
        "true",
        "-5",
        "99999999999999999999999999",
        "{x=1}",
    ] {
        let settings = load(None, &[("TWIST_TEST__DATABASE__URL", secret)]).unwrap();
        assert_eq!(settings.database.url.expose_secret(), secret);
        assert!(!format!("{settings:?}").contains(&format!("\"{secret}\"")));
    }
}

#[test]
fn a_secret_can_come_from_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"from a file\n").unwrap();
    let path = file.path().to_str().unwrap();
    let settings = load(
        None,
        &[
            ("TWIST_TEST__DATABASE__URL", "x"),
            ("TWIST_TEST__KEYS__EDGE_FILE", path),
        ],
    )
    .unwrap();
    assert_eq!(settings.keys["edge"].expose_secret(), "from a file");
    let missing = load(
        None,
        &[("TWIST_TEST__DATABASE__URL_FILE", "/nowhere/at/all")],
    );
    assert!(matches!(missing, Err(ConfigError::File { .. })));
}

#[test]
fn a_misspelt_key_is_an_error_that_names_it() {
    for name in ["TWIST_TEST__TLL", "TWIST_TEST__DATABASE__MAX_CONECTIONS"] {
        let error = load(None, &[("TWIST_TEST__DATABASE__URL", "x"), (name, "5")]).unwrap_err();
        let key = name.rsplit("__").next().unwrap().to_lowercase();
        assert!(error.to_string().contains(&key), "{error}");
    }
    // Another service's variables are not ours.
    assert!(
        load(
            None,
            &[
                ("TWIST_TEST__DATABASE__URL", "x"),
                ("TWIST_TESTER__TLL", "5")
            ]
        )
        .is_ok()
    );
}

#[test]
fn a_wrong_value_is_an_error_that_names_its_variable() {
    let error = load(
        None,
        &[
            ("TWIST_TEST__DATABASE__URL", "x"),
            ("TWIST_TEST__TTL", "soon"),
        ],
    )
    .unwrap_err();
    assert!(
        error.to_string().starts_with("TWIST_TEST__TTL: "),
        "{error}"
    );
    let error = load(None, &[]).unwrap_err();
    assert!(error.to_string().contains("database"), "{error}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(b"ttl = 1\n[database]\nurl = \"from the file\"\nmax_connections = 3\n")
        .unwrap();
    let settings = load(Some(file.path()), &[("TWIST_TEST__TTL", "2")]).unwrap();
    assert_eq!(settings.ttl, 2);
    assert_eq!(settings.database.max_connections, 3);
    assert_eq!(settings.database.url.expose_secret(), "from the file");
    assert!(load(Some(std::path::Path::new("/nowhere.toml")), &[]).is_err());
}
