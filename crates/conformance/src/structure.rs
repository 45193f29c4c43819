//! What an `OpenAPI` document must have for a reader, a generator of clients and a fuzzer to use it.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// What is wrong with `document`; empty when nothing is.
pub fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut note = |wrong: bool, text: String| {
        if wrong {
            faults.push(text);
        }
    };
    let is_3_1 = text(document, "openapi").is_some_and(|version| version.starts_with("3.1."));
    note(!is_3_1, "openapi is not 3.1".to_owned());
    note(!has_items(document, "servers"), "no servers".to_owned());
    note(
        document.pointer("/info/contact").is_some(),
        "names a contact".to_owned(),
    );
    let mut ids = BTreeSet::new();
    for (path, item) in members(document, "paths") {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let place = format!("{} {path}", method.to_uppercase());
            match text(operation, "operationId") {
                Some(id) => note(!ids.insert(id), format!("{place}: operationId {id} twice")),
                None => note(true, format!("{place}: no operationId")),
            }
            note(
                text(operation, "summary").is_none(),
                format!("{place}: no summary"),
            );
            note(!has_items(operation, "tags"), format!("{place}: no tag"));
            let is_public = text(operation, "x-twist-policy") == Some("public");
            note(
                !is_public && !has_items(operation, "security"),
                format!("{place}: no security"),
            );
            let body = operation.get("requestBody");
            note(
                body.is_some_and(|body| body.get("required") != Some(&Value::Bool(true))),
                format!("{place}: the body is not required"),
            );
            for name in path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            {
                let known = parameters(document, operation).any(|parameter| {
                    text(parameter, "in") == Some("path") && text(parameter, "name") == Some(name)
                });
                note(
                    !known,
                    format!("{place}: the parameter {name} is not described"),
                );
            }
            let responses: Vec<&str> = members(operation, "responses")
                .map(|(status, _)| status.as_str())
                .collect();
            note(
                responses.contains(&"default"),
                format!("{place}: a default response"),
            );
            for status in ["500", "503"] {
                note(
                    !responses.contains(&status),
                    format!("{place}: no {status}"),
                );
            }
            let good = responses.iter().any(|status| status.starts_with('2'));
            note(!good, format!("{place}: no good answer"));
        }
    }
    dangling(document, document, &mut faults);
    faults
}

/// References that lead nowhere.
fn dangling(root: &Value, value: &Value, faults: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                && reference
                    .strip_prefix('#')
                    .and_then(|pointer| root.pointer(pointer))
                    .is_none()
            {
                faults.push(format!("{reference} leads nowhere"));
            }
            members
                .values()
                .for_each(|value| dangling(root, value, faults));
        }
        Value::Array(items) => items.iter().for_each(|value| dangling(root, value, faults)),
        _ => {}
    }
}

fn parameters<'a>(document: &'a Value, operation: &'a Value) -> impl Iterator<Item = &'a Value> {
    let list = operation.get("parameters").and_then(Value::as_array);
    list.into_iter().flatten().map(|parameter| {
        text(parameter, "$ref")
            .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
            .unwrap_or(parameter)
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

fn has_items(value: &Value, key: &str) -> bool {
    value
        .get(key)
        .and_then(Value::as_array)
        .is_some_and(|items| !items.is_empty())
}

fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let found: Option<&Map<String, Value>> = value.get(key).and_then(Value::as_object);
    found.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::faults;
    use serde_json::json;

    #[test]
    fn what_a_generator_of_clients_would_trip_over_is_found() {
        let operation = json!({
            "parameters": [],
            "x-twist-policy": "user",
            "requestBody": {},
            "responses": { "default": { "$ref": "#/components/responses/Gone" } },
        });
        let document = json!({
            "openapi": "3.0.3",
            "info": { "contact": {} },
            "paths": { "/a/{id}": { "get": operation } },
        });
        let found = faults(&document);
        for part in [
            "not 3.1",
            "no servers",
            "contact",
            "no operationId",
            "no summary",
            "no tag",
            "no security",
            "body is not required",
            "parameter id",
            "default response",
            "no 500",
            "no 503",
            "no good",
            "leads nowhere",
        ] {
            assert!(
                found.iter().any(|fault| fault.contains(part)),
                "{part}: {found:?}"
            );
        }
    }
}
