//! Values that follow a JSON Schema well enough to get past the first look.

use serde_json::{Map, Value, json};

const DEEPEST: usize = 12;

/// A value for `schema` of `document`.
pub(super) fn sample(document: &Value, schema: &Value) -> Value {
    value(document, schema, 0)
}

fn value(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolve(document, schema);
    if depth > DEEPEST {
        return Value::Null;
    }
    for name in ["const", "example", "default"] {
        if let Some(value) = schema.get(name) {
            return value.clone();
        }
    }
    for name in ["examples", "enum"] {
        if let Some(value) = schema.get(name).and_then(|all| all.get(0)) {
            return value.clone();
        }
    }
    for name in ["anyOf", "oneOf"] {
        let all = schema.get(name).and_then(Value::as_array);
        let real = |one: &&Value| one.get("type").is_none_or(|kind| kind != "null");
        if let Some(one) = all.and_then(|all| all.iter().find(real)) {
            return value(document, one, depth + 1);
        }
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let mut whole = Map::new();
        for part in parts {
            if let Value::Object(members) = value(document, part, depth + 1) {
                whole.extend(members);
            }
        }
        return whole.into();
    }
    match kind(schema) {
        Some("object") => {
            let members = schema.get("properties").and_then(Value::as_object);
            members
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), value(document, schema, depth + 1)))
                .collect::<Map<_, _>>()
                .into()
        }
        Some("array") => match schema.get("items") {
            Some(items) => json!([value(document, items, depth + 1)]),
            None => json!([]),
        },
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        _ => text(schema).into(),
    }
}

fn text(schema: &Value) -> String {
    let shortest = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1);
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => "018f0000-0000-7000-8000-000000000001".to_owned(),
        Some("date-time") => "2030-01-01T00:00:00Z".to_owned(),
        _ => "1".repeat(usize::try_from(shortest).unwrap_or(1)),
    }
}

/// The type that is not `null`.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        _ => None,
    }
}

/// What a reference means.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut at = schema;
    for _ in 0..DEEPEST {
        let Some(path) = at.get("$ref").and_then(Value::as_str) else {
            return at;
        };
        let path = path.strip_prefix('#').unwrap_or(path);
        at = document
            .pointer(path)
            .unwrap_or_else(|| panic!("the document has no {path}"));
    }
    at
}
