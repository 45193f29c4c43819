//! The page of a configuration's keys, made from its type.

use super::keys::{self, Key};
use super::problem::variable;
use schemars::JsonSchema;
use serde_json::Value;
use std::fmt::Write as _;

/// A table of every key of `T` in Markdown: how to write it in the file and as a variable, its kind, what it is when
/// it is left out, what it means.
pub fn reference<T: JsonSchema>(prefix: &str) -> String {
    let mut page = String::from(
        "| key | variable | kind | default | meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for key in keys::all(&keys::schema::<T>()) {
        let _ = writeln!(page, "{}", row(prefix, &key));
    }
    page
}

fn row(prefix: &str, key: &Key) -> String {
    let variable = variable(prefix, &key.path);
    let default = match &key.default {
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => format!("`{value}`"),
        None if key.required => "required".to_owned(),
        None => "none".to_owned(),
    };
    let kind = if key.secret {
        "**secret**"
    } else {
        key.kind.as_str()
    };
    let meaning = key.meaning.replace('|', "\\|");
    format!(
        "| `{}` | `{variable}` | {kind} | {default} | {meaning} |",
        key.path
    )
}
