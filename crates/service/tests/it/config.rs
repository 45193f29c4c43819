//! Configuration.

use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use service::config::{ConfigError, DatabaseConfig, Secret, load_from, reference};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    database: DatabaseConfig,
    /// Secrets by name.
    #[serde(default)]
    keys: BTreeMap<String, Secret>,
    /// Seconds.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 60))]
    ttl: u64,
    /// A line | of text.
    #[serde(default)]
    text: String,
    /// Origins.
    #[serde(default)]
    list: Vec<String>,
    /// May be left out.
    #[serde(default)]
    pause: Option<u32>,
}

const fn ten() -> u64 {
    10
}

fn load(file: Option<&Path>, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let variables: Vec<(OsString, OsString)> = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    load_from("TWIST_TEST", file, variables)
}

fn toml(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// What is told of a configuration that is wrong, a line each.
fn told(file: Option<&Path>, variables: &[(&str, &str)]) -> Vec<String> {
    let error = load(file, variables).unwrap_err();
    error.to_string().lines().map(str::to_owned).collect()
}

const URL: (&str, &str) = ("TWIST_TEST__DATABASE__URL", "x");

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
        "a,b",
    ] {
        let settings = load(None, &[("TWIST_TEST__DATABASE__URL", secret)]).unwrap();
        assert_eq!(settings.database.url.expose_secret(), secret);
        assert!(!format!("{settings:?}").contains(&format!("\"{secret}\"")));
    }
}

#[test]
fn a_secret_can_come_from_a_file() {
    let file = toml("from a file\n");
    let path = file.path().to_str().unwrap();
    let settings = load(None, &[URL, ("TWIST_TEST__KEYS__EDGE_FILE", path)]).unwrap();
    assert_eq!(settings.keys["edge"].expose_secret(), "from a file");
    let missing = told(
        None,
        &[("TWIST_TEST__DATABASE__URL_FILE", "/nowhere/at/all")],
    );
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(
        missing[0].starts_with("TWIST_TEST__DATABASE__URL_FILE: "),
        "{missing:?}"
    );
    let both = told(
        None,
        &[
            URL,
            ("TWIST_TEST__KEYS__EDGE", "x"),
            ("TWIST_TEST__KEYS__EDGE_FILE", path),
        ],
    );
    assert!(both[0].contains("not both"), "{both:?}");
}

#[test]
fn credentials_win_over_the_file_and_the_environment_wins_over_them() {
    let file =
        toml("ttl = 1\npause = 1\n[database]\nurl = \"from the file\"\nmax_connections = 3\n");
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("database.url", "from a credential\n"),
        ("keys.Edge-1", "edge"),
        ("ttl", "2"),
        ("pause", "2"),
        (".hidden", "x"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let credentials = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());
    let settings = load(Some(file.path()), &[credentials, ("TWIST_TEST__TTL", "3")]).unwrap();
    assert_eq!(settings.database.url.expose_secret(), "from a credential");
    assert_eq!(settings.keys["Edge-1"].expose_secret(), "edge");
    assert_eq!(settings.database.max_connections, 3);
    assert_eq!((settings.ttl, settings.pause), (3, Some(2)));

    std::fs::write(folder.path().join("database.ulr"), "canary").unwrap();
    let wrong = told(None, &[credentials]);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].starts_with("database.ulr (TWIST_TEST__DATABASE__ULR): there is no such key"));
    let nowhere = told(None, &[("CREDENTIALS_DIRECTORY", "/nowhere")]);
    assert!(
        nowhere[0].starts_with("CREDENTIALS_DIRECTORY: "),
        "{nowhere:?}"
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once_each_with_its_key_and_its_variable() {
    let file = toml("ttl = 61\npause = \"soon\"\nlist = 1.5\ntext = [1]\n[databse]\nurl = \"x\"\n");
    let mut told = told(Some(file.path()), &[("TWIST_TEST__TLL", "5")]);
    told.sort();
    let starts = [
        "database.url (TWIST_TEST__DATABASE__URL): is required",
        "databse (TWIST_TEST__DATABSE): there is no such key; there are: ",
        "list (TWIST_TEST__LIST): must be a list",
        "pause (TWIST_TEST__PAUSE): must be a whole number from 0 to 4294967295",
        "text (TWIST_TEST__TEXT): must be a text",
        "tll (TWIST_TEST__TLL): there is no such key",
        "ttl (TWIST_TEST__TTL): must be a whole number from 1 to 60",
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (line, start) in told.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    // Another service's variables are not ours, nor is the one that names the file.
    assert!(
        load(
            None,
            &[URL, ("TWIST_TESTER__TLL", "5"), ("TWIST_TEST_CONFIG", "/x")]
        )
        .is_ok()
    );
}

#[test]
fn no_value_is_repeated_however_malformed() {
    const CANARY: &str = "s3cr3t-canary";
    let variables: [&[(&str, &str)]; 7] = [
        &[("TWIST_TEST__DATABASE", CANARY)],
        &[("TWIST_TEST__DATABASE", CANARY), URL],
        &[("TWIST_TEST__DATABASE__URL__INNER", CANARY)],
        &[URL, ("TWIST_TEST__TTL", CANARY)],
        &[URL, ("TWIST_TEST__KEYS", CANARY)],
        &[URL, ("TWIST_TEST__PAUSE", CANARY)],
        &[URL, ("TWIST_TEST__DATABASE__MAX_CONNECTIONS", CANARY)],
    ];
    for variables in variables {
        let told = told(None, variables).join("\n");
        assert!(!told.contains("canary"), "{told}");
    }
    for text in [
        "[database]\nurl = \"s3cr3t-canary",
        "[database]\nurl = s3cr3t-canary\n",
        "[database]\nurl = [\"s3cr3t-canary\"]\n",
        "database = \"s3cr3t-canary\"\n",
        "database = [{ url = \"s3cr3t-canary\" }]\n",
        "[database]\nurl = \"x\"\nurl = \"s3cr3t-canary\"\n",
        "[[database]]\nurl = \"s3cr3t-canary\"\n",
        "keys = { a = { b = \"s3cr3t-canary\" } }\n[database]\nurl = \"x\"\n",
        "ttl = \"s3cr3t-canary\"\n[database]\nurl = \"x\"\n",
    ] {
        let error = load(Some(toml(text).path()), &[]).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary"), "{text}: {shown}");
    }
    let line = told(Some(toml("ttl = 1\n\nurl = s3cr3t-canary\n").path()), &[]);
    assert!(line[0].ends_with("is not TOML in line 3"), "{line:?}");
}

#[test]
fn a_variable_that_is_no_text_is_named() {
    let value = OsString::from_vec(vec![0xff, 0xfe]);
    let variables = [
        ("TWIST_TEST__TEXT".into(), value),
        (URL.0.into(), URL.1.into()),
    ];
    let error = load_from::<Settings, _>("TWIST_TEST", None, variables).unwrap_err();
    assert_eq!(error.to_string(), "TWIST_TEST__TEXT: is not text");
}

#[test]
fn a_list_can_be_a_text_with_commas_and_a_text_can_be_digits() {
    let settings = load(
        None,
        &[
            URL,
            ("TWIST_TEST__LIST", "https://a, https://b ,"),
            ("TWIST_TEST__TEXT", "123"),
        ],
    )
    .unwrap();
    assert_eq!(settings.list, ["https://a", "https://b"]);
    assert_eq!(settings.text, "123");
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = toml("ttl = 1\n[database]\nurl = \"from the file\"\nmax_connections = 3\n");
    let settings = load(Some(file.path()), &[("TWIST_TEST__TTL", "2")]).unwrap();
    assert_eq!(settings.ttl, 2);
    assert_eq!(settings.database.max_connections, 3);
    assert_eq!(settings.database.url.expose_secret(), "from the file");
    assert!(load(Some(Path::new("/nowhere.toml")), &[]).is_err());
}

#[test]
fn the_page_has_every_key_with_its_kind_default_and_meaning() {
    let page = reference::<Settings>("TWIST_TEST");
    for line in [
        "| `database.url` | `TWIST_TEST__DATABASE__URL` | **secret** | required | `postgres://…`; contains the password. ",
        "| `database.max_connections` | `TWIST_TEST__DATABASE__MAX_CONNECTIONS` | whole number from 1 to 1000 | `10` | Connections of this process' pool. ",
        "| `keys.<name>` | `TWIST_TEST__KEYS__<NAME>` | **secret** | none | Secrets by name. |",
        "| `ttl` | `TWIST_TEST__TTL` | whole number from 1 to 60 | `10` | Seconds. |",
        "| `text` | `TWIST_TEST__TEXT` | text | `` | A line \\| of text. |",
        "| `pause` | `TWIST_TEST__PAUSE` | whole number from 0 to 4294967295 | none | May be left out. |",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
    assert_eq!(page.lines().count(), 2 + 9, "{page}");
}
