//! Objects of R2 buckets.

use super::State;
use super::wire::{Reply, Request, unescape};
use serde_json::{Value, json};

/// Names to a page, so that several are read.
const PAGE: usize = 3;

pub(crate) fn route(state: &State, request: &Request, bucket: &str, rest: &[&str]) -> Reply {
    let Some(objects) = state.objects.get(bucket) else {
        return Reply::refused(404, 10006, "The specified bucket does not exist.");
    };
    if let [key] = rest {
        return match objects.get(&unescape(key)) {
            Some(bytes) => Reply::bytes("application/json", bytes.clone()),
            None => Reply::refused(404, 10007, "The specified key does not exist."),
        };
    }
    let prefix = request.query("prefix").unwrap_or_default();
    let from = request.query("cursor").unwrap_or_default();
    let mut keys = objects
        .keys()
        .filter(|key| key.starts_with(prefix) && key.as_str() > from);
    let found: Vec<&String> = keys.by_ref().take(PAGE).collect();
    let last = found.last().copied().cloned();
    let truncated = keys.next().is_some();
    let result: Vec<Value> = found
        .iter()
        .map(|key| json!({ "key": key, "size": 1 }))
        .collect();
    Reply::json(
        200,
        &json!({
            "success": true, "errors": [], "messages": [], "result": result,
            "result_info": { "cursor": if truncated { last } else { None }, "is_truncated": truncated, "per_page": PAGE },
        }),
    )
}
