//! Comparing `OpenAPI` documents.

use super::schema::Comparison;
use super::{Breaking, Direction, Findings, Rule};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// What `new` breaks for the clients of `old`.
pub fn documents(old: &Value, new: &Value) -> Vec<Breaking> {
    let mut comparer = Comparer {
        old,
        new,
        found: Findings::default(),
    };
    for (path, old_item) in members(old, "paths") {
        let Some(new_item) = new.get("paths").and_then(|paths| paths.get(path)) else {
            comparer.found.add(Rule::PathRemoved, path, "is gone");
            continue;
        };
        for method in METHODS {
            let Some(old_operation) = old_item.get(method) else {
                continue;
            };
            let place = format!("{} {path}", method.to_uppercase());
            match new_item.get(method) {
                Some(new_operation) => comparer.operation(&place, old_operation, new_operation),
                None => comparer
                    .found
                    .add(Rule::OperationRemoved, &place, "is gone"),
            }
        }
    }
    comparer.found.0
}

struct Comparer<'a> {
    old: &'a Value,
    new: &'a Value,
    found: Findings,
}

impl Comparer<'_> {
    fn operation(&mut self, place: &str, old: &Value, new: &Value) {
        if old.get("operationId") != new.get("operationId") {
            let detail = format!(
                "{:?} became {:?}",
                old.get("operationId"),
                new.get("operationId")
            );
            self.found.add(Rule::OperationRenamed, place, detail);
        }
        self.security(place, old, new);
        self.parameters(place, old, new);
        self.body(place, old.get("requestBody"), new.get("requestBody"));
        for (status, old_response) in members(old, "responses") {
            let place = format!("{place} {status}");
            let Some(new_response) = new.get("responses").and_then(|all| all.get(status)) else {
                self.found.add(Rule::ResponseRemoved, &place, "is gone");
                continue;
            };
            self.response(&place, old_response, new_response);
        }
    }

    /// Every way in which a caller could be known before must still be one.
    fn security(&mut self, place: &str, old: &Value, new: &Value) {
        let (old, new) = (requirements(self.old, old), requirements(self.new, new));
        let is_open =
            |all: &[BTreeSet<String>]| all.is_empty() || all.iter().any(BTreeSet::is_empty);
        let still = |way: &BTreeSet<String>| new.iter().any(|now| now.is_subset(way));
        if is_open(&new) {
            return;
        }
        if is_open(&old) || !old.iter().all(still) {
            let detail = format!("{old:?} became {new:?}");
            self.found.add(Rule::SecurityTightened, place, detail);
        }
    }

    fn parameters(&mut self, place: &str, old: &Value, new: &Value) {
        let (before, after) = (parameters(self.old, old), parameters(self.new, new));
        for ((name, within), old_one) in &before {
            let place = format!("{place} {within} {name}");
            let Some((_, new_one)) = after.iter().find(|(key, _)| key == &(*name, *within)) else {
                self.found.add(Rule::ParameterRemoved, &place, "is gone");
                continue;
            };
            if is_true(new_one, "required") && !is_true(old_one, "required") {
                self.found
                    .add(Rule::ParameterRequired, &place, "must now be sent");
            }
            self.schema(
                Direction::Request,
                &place,
                old_one.get("schema"),
                new_one.get("schema"),
            );
        }
        for ((name, within), new_one) in &after {
            let is_new = !before.iter().any(|(key, _)| key == &(*name, *within));
            if is_new && is_true(new_one, "required") {
                let place = format!("{place} {within} {name}");
                self.found
                    .add(Rule::ParameterRequired, &place, "is new and must be sent");
            }
        }
    }

    fn body(&mut self, place: &str, old: Option<&Value>, new: Option<&Value>) {
        let place = format!("{place} body");
        let old = old.map(|body| follow(self.old, body));
        let new = new.map(|body| follow(self.new, body));
        let was_required = old.is_some_and(|body| is_true(body, "required"));
        if new.is_some_and(|body| is_true(body, "required")) && !was_required {
            self.found
                .add(Rule::BodyRequired, &place, "must now be sent");
        }
        let Some(old) = old else { return };
        self.content(Direction::Request, &place, old, new.unwrap_or(&Value::Null));
    }

    fn response(&mut self, place: &str, old: &Value, new: &Value) {
        let (old, new) = (follow(self.old, old), follow(self.new, new));
        for (name, _) in members(old, "headers") {
            if new.get("headers").and_then(|all| all.get(name)).is_none() {
                self.found.add(Rule::HeaderRemoved, place, name.clone());
            }
        }
        self.content(Direction::Response, place, old, new);
    }

    fn content(&mut self, direction: Direction, place: &str, old: &Value, new: &Value) {
        for (media, old_content) in members(old, "content") {
            match new.get("content").and_then(|all| all.get(media)) {
                Some(new_content) => self.schema(
                    direction,
                    place,
                    old_content.get("schema"),
                    new_content.get("schema"),
                ),
                None => self.found.add(Rule::MediaTypeRemoved, place, media.clone()),
            }
        }
    }

    fn schema(
        &mut self,
        direction: Direction,
        place: &str,
        old: Option<&Value>,
        new: Option<&Value>,
    ) {
        let anything = Value::Bool(true);
        let mut comparison = Comparison::new(direction, self.old, self.new, &mut self.found);
        comparison.compare(place, old.unwrap_or(&anything), new.unwrap_or(&anything));
    }
}

/// The ways to be known, each a set of schemes that are needed together.
fn requirements(document: &Value, operation: &Value) -> Vec<BTreeSet<String>> {
    let own = operation
        .get("security")
        .or_else(|| document.get("security"));
    let list = own.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(|way| way.keys().cloned().collect())
        .collect()
}

type Named<'a> = ((&'a str, &'a str), &'a Value);

fn parameters<'a>(document: &'a Value, operation: &'a Value) -> Vec<Named<'a>> {
    let list = operation.get("parameters").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|parameter| follow(document, parameter))
        .filter_map(|parameter| {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str);
            Some(((text("name")?, text("in")?), parameter))
        })
        .collect()
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

fn members<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let found: Option<&Map<String, Value>> = value.get(key).and_then(Value::as_object);
    found.into_iter().flatten()
}
