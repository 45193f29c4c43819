//! The `OpenAPI` document: what the handlers say of themselves, completed with what the shell does to every request.
//!
//! A handler documents its input and its good answers. That it may also be refused, limited, timed out, and which
//! headers it then carries follows from its rule and its input, so it is written here, once, for every route.

mod common;
mod errors;
mod prune;

use super::app::ALIAS;
use crate::access::RouteRule;
use aide::openapi::OpenApi;
use errors::Refusals;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The whole document. `internal` are the paths that the alias does not have.
pub(super) fn complete(
    openapi: &OpenApi,
    rules: &[RouteRule],
    internal: &BTreeSet<&'static str>,
) -> Value {
    let mut document = prune::nulls(serde_json::to_value(openapi).unwrap_or_default());
    set(&mut document, "servers", servers());
    let mut tags = BTreeSet::new();
    if let Some(paths) = object(&mut document, "paths") {
        let own = common::own_paths();
        for (path, item) in &own {
            paths.insert((*path).to_owned(), item.clone());
        }
        for (path, item) in paths.iter_mut() {
            if internal.contains(path.as_str()) || own.iter().any(|(own, _)| own == path) {
                set(item, "servers", json!([root_server()]));
            }
            for method in METHODS {
                let rule = rules.iter().find(|rule| {
                    rule.path == path && rule.method.as_str().eq_ignore_ascii_case(method)
                });
                if let (Some(operation), Some(rule)) = (object(item, method), rule) {
                    complete_operation(operation, rule);
                    tags.extend(tags_of(operation));
                }
            }
        }
    }
    set(&mut document, "tags", common::tags(&tags));
    if let Some(components) = object(&mut document, "components") {
        components.insert("headers".to_owned(), common::headers());
        components.insert("parameters".to_owned(), common::parameters());
        components.insert("responses".to_owned(), errors::responses());
    }
    document
}

fn complete_operation(operation: &mut Map<String, Value>, rule: &RouteRule) {
    let refusals = Refusals::of(operation, rule);
    let parameters = operation
        .entry("parameters")
        .or_insert_with(|| json!([]))
        .as_array_mut();
    if let Some(parameters) = parameters {
        parameters.push(json!({ "$ref": "#/components/parameters/RequestId" }));
    }
    let responses = operation
        .entry("responses")
        .or_insert_with(|| json!({}))
        .as_object_mut();
    let Some(responses) = responses else { return };
    refusals.document(responses);
    for response in responses.values_mut().filter_map(Value::as_object_mut) {
        if !response.contains_key("$ref") {
            let limited = refusals.is_limited();
            common::add_headers(response, limited);
        }
    }
}

fn servers() -> Value {
    json!([
        root_server(),
        { "url": ALIAS, "description": "The same routes under the original's prefix." },
    ])
}

fn root_server() -> Value {
    json!({ "url": "/", "description": "The service that serves this document." })
}

fn tags_of(operation: &Map<String, Value>) -> Vec<String> {
    let tags = operation.get("tags").and_then(Value::as_array);
    tags.into_iter()
        .flatten()
        .filter_map(|tag| tag.as_str().map(str::to_owned))
        .collect()
}

fn set(value: &mut Value, key: &str, to: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), to);
    }
}

fn object<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    value.get_mut(key)?.as_object_mut()
}
