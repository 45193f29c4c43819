//! The published JSON Schema is the code's.

use attest::Manifest;
use std::fs;
use std::path::Path;

const PAGE: &str = "docs/reference/release-v1.schema.json";

#[test]
fn the_published_schema_is_the_one_that_manifests_are_read_by() {
    let schema = schemars::schema_for!(Manifest);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(PAGE);
    if std::env::var_os("TWIST_UPDATE_REFERENCE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "{PAGE} is out of date; TWIST_UPDATE_REFERENCE=1 cargo test -p attest writes it"
    );
}
