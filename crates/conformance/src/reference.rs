//! What is generated and committed under `docs/reference/`.

use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The variable that makes the tests write what they compare.
pub const UPDATE: &str = "TWIST_UPDATE_REFERENCE";

/// The variable that makes the tests freeze what they compare with: at a release, never to let a change pass.
pub const FREEZE: &str = "TWIST_FREEZE_REFERENCE";

/// Where a page of the reference is.
pub fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(name)
}

/// The committed page.
///
/// # Panics
/// When it is not there or not JSON.
pub fn committed(name: &str) -> Value {
    let path = page(name);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("docs/reference/{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("docs/reference/{name}: {error}"))
}

/// The page as it was at the last release: `schemas/codes.json` is frozen in `schemas/v1-baseline/codes.json`. With
/// [`FREEZE`] set, `generated` becomes that.
///
/// # Panics
/// When it is not there or not JSON.
pub fn baseline(name: &str, generated: &Value) -> Value {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("schemas", name));
    let frozen = format!("{folder}/v1-baseline/{file}");
    if std::env::var_os(FREEZE).is_some() {
        write_page(&frozen, generated);
    }
    committed(&frozen)
}

/// The committed page is `generated`; with [`UPDATE`] set it becomes so.
///
/// # Panics
/// When they differ, saying what writes the page.
pub fn assert_current(name: &str, generated: &Value) {
    assert_text(name, &text_of(generated));
}

/// The committed page is `text`; with [`UPDATE`] set it becomes so.
///
/// # Panics
/// When they differ, saying what writes the page.
pub fn assert_text(name: &str, text: &str) {
    if std::env::var_os(UPDATE).is_some() {
        write_text(name, text);
    }
    let committed = fs::read_to_string(page(name)).unwrap_or_default();
    assert!(
        committed == text,
        "docs/reference/{name} is out of date; {UPDATE}=1 and the same test writes it"
    );
}

fn text_of(generated: &Value) -> String {
    format!("{}\n", pretty(generated))
}

fn write_page(name: &str, generated: &Value) {
    write_text(name, &text_of(generated));
}

fn write_text(name: &str, text: &str) {
    let path = page(name);
    if let Some(folder) = path.parent() {
        let _ = fs::create_dir_all(folder);
    }
    if let Err(error) = fs::write(&path, text) {
        panic!("docs/reference/{name}: {error}");
    }
}

/// Indented, members in the order of their names whatever the build's maps keep.
pub fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text
}

fn write(text: &mut String, value: &Value, depth: usize) {
    let indent = |depth: usize| "  ".repeat(depth);
    match value {
        Value::Object(members) if !members.is_empty() => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (place, (name, value)) in sorted.into_iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                let name = Value::String(name.clone());
                let _ = write!(text, "{comma}\n{}{name}: ", indent(depth + 1));
                write(text, value, depth + 1);
            }
            let _ = write!(text, "\n{}}}", indent(depth));
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                let _ = write!(text, "{comma}\n{}", indent(depth + 1));
                write(text, item, depth + 1);
            }
            let _ = write!(text, "\n{}]", indent(depth));
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}
