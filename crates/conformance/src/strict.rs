//! Schemas that admit nothing but what they name.
//!
//! The published schemas let answers gain members, since clients must bear that. The tests of the build that made
//! the document need not: a member that is not documented there is a mistake.

use serde_json::{Map, Value, json};

/// `schema` with every object closed that names its members.
pub(crate) fn closed(schema: &Value) -> Value {
    close(schema, true)
}

/// Every member of `components.schemas`, closed.
pub(crate) fn closed_components(document: &Value) -> Value {
    let schemas = document
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    let closed: Map<String, Value> = schemas
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), closed(schema)))
        .collect();
    json!({ "schemas": closed })
}

/// `whole` is false for a part of `allOf`, which says only some of an object's members.
fn close(schema: &Value, whole: bool) -> Value {
    let Some(members) = schema.as_object() else {
        return schema.clone();
    };
    let mut out = Map::new();
    for (keyword, value) in members {
        let value = match keyword.as_str() {
            "properties" | "patternProperties" | "$defs" => each(value, |part| close(part, true)),
            "items" | "additionalProperties" | "contains" | "not" | "if" => close(value, true),
            "oneOf" | "anyOf" | "prefixItems" => list(value, |part| close(part, whole)),
            "allOf" => list(value, |part| close(part, false)),
            _ => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    let names_members = out.contains_key("properties");
    let is_open = !out.contains_key("additionalProperties")
        && !out.contains_key("patternProperties")
        && !out.contains_key("unevaluatedProperties");
    if whole && names_members && is_open {
        let composed = ["allOf", "anyOf", "oneOf", "$ref"];
        let keyword = if composed.iter().any(|name| out.contains_key(*name)) {
            "unevaluatedProperties"
        } else {
            "additionalProperties"
        };
        out.insert(keyword.to_owned(), Value::Bool(false));
    }
    Value::Object(out)
}

fn each(value: &Value, change: impl Fn(&Value) -> Value) -> Value {
    match value.as_object() {
        Some(members) => members
            .iter()
            .map(|(name, part)| (name.clone(), change(part)))
            .collect(),
        None => value.clone(),
    }
}

fn list(value: &Value, change: impl Fn(&Value) -> Value) -> Value {
    match value.as_array() {
        Some(items) => items.iter().map(change).collect(),
        None => value.clone(),
    }
}
