//! Comparing values with the JSON Schema of a configuration: every key that is unknown, missing or of the wrong kind.

use super::Problems;
use super::keys::{Kind, kind, required};
use super::sources::Tree;
use serde_json::Value;

/// Brings `tree` into the form that the schema asks for (a list may be one text with commas, digits may be a text),
/// noting what has no such form.
pub(super) fn fit(schema: &Value, tree: Tree, problems: &mut Problems) -> Tree {
    section(schema, tree, "", problems)
}

fn section(schema: &Value, tree: Tree, path: &str, problems: &mut Problems) -> Tree {
    let properties = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|s| s.is_object());
    for name in required(schema) {
        if !tree.contains_key(name) {
            let inner = properties.and_then(|properties| properties.get(name));
            missing(inner, &join(path, name), problems);
        }
    }
    tree.into_iter()
        .map(|(name, found)| {
            let place = join(path, &name);
            let known = properties.and_then(|properties| properties.get(&name));
            let fitted = if let Some(schema) = known.or(others) {
                value(schema, found, &place, problems)
            } else {
                let known = properties.into_iter().flatten();
                let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
                let known = known.join(", ");
                problems.note(&place, format!("there is no such key; there are: {known}"));
                found
            };
            (name, fitted)
        })
        .collect()
}

/// Notes each key without which the section at `path` cannot be.
fn missing(schema: Option<&Value>, path: &str, problems: &mut Problems) {
    let inner = schema.map(required).unwrap_or_default();
    if inner.is_empty() {
        problems.note(path, "is required");
    }
    for name in inner {
        let below = schema
            .and_then(|schema| schema.get("properties"))
            .and_then(|properties| properties.get(name));
        missing(below, &join(path, name), problems);
    }
}

fn value(schema: &Value, found: Value, path: &str, problems: &mut Problems) -> Value {
    match (kind(schema), found) {
        (Kind::Section(schema), Value::Object(tree)) => {
            section(schema, tree, path, problems).into()
        }
        (Kind::Section(_), other) => {
            problems.note(path, "is a section; set one of its keys");
            other
        }
        (Kind::List, Value::String(text)) => text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect(),
        (Kind::List, list @ Value::Array(_)) => list,
        (Kind::List, Value::Number(number)) if !number.is_f64() => {
            Value::Array(vec![number.to_string().into()])
        }
        (Kind::Text, text @ Value::String(_)) => text,
        (Kind::Text, Value::Number(number)) if !number.is_f64() => number.to_string().into(),
        (Kind::Text, Value::Bool(word)) => word.to_string().into(),
        (Kind::Switch, word @ Value::Bool(_)) => word,
        (Kind::Number { min, max }, Value::Number(number)) => {
            let inside = number.as_i64().is_some_and(|number| {
                min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
            });
            if !inside {
                problems.note(path, format!("must be {}", kind(schema).words()));
            }
            number.into()
        }
        (Kind::Any, other) => other,
        (kind, other) => {
            problems.note(path, format!("must be {}", kind.words()));
            other
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
