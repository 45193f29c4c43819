//! The firewall.

use crate::parts::{line, text};
use edge_core::firewall::{Head, Rule, Shadow, inspect_body, inspect_head};
use edge_core::proxy::find;
use std::collections::BTreeSet;

/// JSON below these is never refused for its size.
const MAX_COUNT: usize = 20_000;
const MAX_DEPTH: usize = 32;

/// Target and headers, a line each, then after an empty line the body. A rule is told once for a place, the same every
/// time; a body is malformed when it is not JSON, or too large to be ours; what decides is one of the rules that hold.
pub(crate) fn inspect(input: &[u8]) {
    let text = text(input);
    let (top, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (target, lines) = line(top);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(String, String)> = lines
        .split('\n')
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let head = Head {
        path,
        query,
        headers: &headers,
        class: find(path).map(|route| route.class),
    };
    let mut hits = inspect_head(head);
    assert_eq!(hits, inspect_head(head));
    let in_body = inspect_body(head, body.as_bytes(), true);
    let is_json = serde_json::from_str::<serde_json::Value>(body).is_ok();
    let malformed = in_body.iter().any(|hit| hit.rule == Rule::MalformedJson);
    let large = body.len() > MAX_COUNT || body.matches(['[', '{']).count() > MAX_DEPTH;
    assert!(malformed || is_json, "what is not JSON passes");
    assert!(!malformed || !is_json || large, "JSON is refused");
    hits.extend(in_body);
    let unique: BTreeSet<_> = hits.iter().collect();
    assert_eq!(unique.len(), hits.len());
    let decided = Shadow::default().decide(&hits);
    assert_eq!(decided.is_some(), !hits.is_empty());
    assert!(decided.is_none_or(|hit| hits.contains(&hit)));
    let watched = Shadow::of(Rule::ALL.iter().copied());
    assert_eq!(watched.decide(&hits), None);
}
