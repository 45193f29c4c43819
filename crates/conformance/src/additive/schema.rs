//! Comparing JSON Schemas.

use super::{Breaking, Direction, Findings, Rule};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Limits that a smaller number narrows, and those that a larger one does.
const UPPER: [&str; 5] = [
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
const LOWER: [&str; 5] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];

/// What `new` breaks for whoever has `old`, as documents of their own.
pub fn schemas(direction: Direction, old: &Value, new: &Value) -> Vec<Breaking> {
    let mut found = Findings::default();
    Comparison::new(direction, old, new, &mut found).compare("", old, new);
    found.0
}

/// A comparison of two schemas whose references lead into their documents.
pub(super) struct Comparison<'a> {
    direction: Direction,
    old_root: &'a Value,
    new_root: &'a Value,
    found: &'a mut Findings,
    /// Pairs of references that are being compared already: schemas may contain themselves.
    open: Vec<(String, String)>,
}

/// A schema with its references and its `allOf` resolved.
#[derive(Default)]
struct Shape<'a> {
    properties: BTreeMap<&'a str, Vec<&'a Value>>,
    required: BTreeSet<&'a str>,
    keywords: BTreeMap<&'a str, &'a Value>,
    closed: bool,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(
        direction: Direction,
        old_root: &'a Value,
        new_root: &'a Value,
        found: &'a mut Findings,
    ) -> Self {
        Self {
            direction,
            old_root,
            new_root,
            found,
            open: Vec::new(),
        }
    }

    pub(super) fn compare(&mut self, place: &str, old: &Value, new: &Value) {
        let name = |value: &Value| value.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let pair = name(old).zip(name(new));
        if let Some(pair) = &pair {
            if self.open.contains(pair) {
                return;
            }
            self.open.push(pair.clone());
        }
        self.shapes(place, old, new);
        if pair.is_some() {
            self.open.pop();
        }
    }

    fn shapes(&mut self, place: &str, old: &Value, new: &Value) {
        let (old_root, new_root) = (self.old_root, self.new_root);
        let (before, after) = (shape(old_root, old), shape(new_root, new));
        let (old_types, new_types) = (types(old_root, old), types(new_root, new));
        let admits = |wide: &Option<BTreeSet<String>>, narrow: &Option<BTreeSet<String>>| match (
            wide, narrow,
        ) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wide), Some(narrow)) => narrow.is_subset(wide),
        };
        let same = match self.direction {
            Direction::Request => admits(&new_types, &old_types),
            Direction::Response => admits(&old_types, &new_types),
        };
        if !same {
            let detail = format!("{old_types:?} became {new_types:?}");
            return self.found.add(Rule::TypeChanged, place, detail);
        }
        self.members(place, &before, &after);
        self.values(place, &before, &after);
        self.constraints(place, &before, &after);
        for keyword in ["items", "additionalProperties"] {
            if let (Some(old), Some(new)) =
                (before.keywords.get(keyword), after.keywords.get(keyword))
                && old.is_object()
                && new.is_object()
            {
                self.compare(&format!("{place}/{keyword}"), old, new);
            }
        }
        for keyword in ["oneOf", "anyOf"] {
            self.variants(
                place,
                before.keywords.get(keyword),
                after.keywords.get(keyword),
            );
        }
    }

    fn members(&mut self, place: &str, before: &Shape<'_>, after: &Shape<'_>) {
        for (name, old) in &before.properties {
            let place = format!("{place}/{name}");
            let Some(new) = after.properties.get(name) else {
                self.found.add(Rule::PropertyRemoved, &place, "is gone");
                continue;
            };
            if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
                self.compare(&place, old, new);
            } else {
                // The parts of an allOf, each of which says something of the same member.
                for (old, new) in old.iter().zip(new) {
                    self.compare(&place, old, new);
                }
                if old.len() != new.len() && self.direction == Direction::Request {
                    self.found
                        .add(Rule::ConstraintTightened, &place, "is said in other parts");
                }
            }
        }
        match self.direction {
            Direction::Request => {
                for name in after.required.difference(&before.required) {
                    let place = format!("{place}/{name}");
                    self.found
                        .add(Rule::PropertyRequired, &place, "must now be sent");
                }
                if after.closed && !before.closed {
                    self.found.add(
                        Rule::UnknownRefused,
                        place,
                        "refuses members that were let through",
                    );
                }
            }
            Direction::Response => {
                for name in before.required.difference(&after.required) {
                    let place = format!("{place}/{name}");
                    self.found
                        .add(Rule::PropertyNoLongerPromised, &place, "may now be missing");
                }
            }
        }
    }

    fn values(&mut self, place: &str, before: &Shape<'_>, after: &Shape<'_>) {
        match (enumeration(before), enumeration(after)) {
            (Some(old), Some(new)) => {
                for gone in old.iter().filter(|value| !new.contains(value)) {
                    self.found
                        .add(Rule::EnumValueRemoved, place, gone.to_string());
                }
            }
            (Some(_), None) if self.direction == Direction::Response => {
                self.found
                    .add(Rule::EnumChanged, place, "may now be anything");
            }
            (None, Some(_)) if self.direction == Direction::Request => {
                self.found
                    .add(Rule::EnumChanged, place, "may no longer be anything");
            }
            _ => {}
        }
    }

    fn constraints(&mut self, place: &str, before: &Shape<'_>, after: &Shape<'_>) {
        for keyword in ["pattern", "format", "contentEncoding"] {
            let (old, new) = (before.keywords.get(keyword), after.keywords.get(keyword));
            if old == new {
                continue;
            }
            let detail = format!("{keyword} {old:?} became {new:?}");
            match self.direction {
                Direction::Request if new.is_some() => {
                    self.found.add(Rule::ConstraintTightened, place, detail);
                }
                Direction::Response if old.is_some() => {
                    self.found.add(Rule::FormChanged, place, detail);
                }
                _ => {}
            }
        }
        if self.direction == Direction::Response {
            return;
        }
        let number =
            |shape: &Shape<'_>, keyword| shape.keywords.get(keyword).and_then(|v| v.as_f64());
        for (keywords, narrows) in [(UPPER, f64::lt as fn(&f64, &f64) -> bool), (LOWER, f64::gt)] {
            for keyword in keywords {
                let (old, new) = (number(before, keyword), number(after, keyword));
                let is_narrower = match (old, new) {
                    (Some(old), Some(new)) => narrows(&new, &old),
                    (None, Some(_)) => true,
                    _ => false,
                };
                if is_narrower {
                    let detail = format!("{keyword} {old:?} became {new:?}");
                    self.found.add(Rule::ConstraintTightened, place, detail);
                }
            }
        }
    }

    /// Each of the old forms must be one of the new ones, in whatever order.
    fn variants(&mut self, place: &str, old: Option<&&Value>, new: Option<&&Value>) {
        let list = |value: Option<&&'_ Value>| {
            value
                .and_then(|value| value.as_array())
                .cloned()
                .unwrap_or_default()
        };
        let (old, new) = (list(old), list(new));
        if new.is_empty() && !old.is_empty() {
            return self
                .found
                .add(Rule::VariantRemoved, place, "there are no forms any more");
        }
        for (number, variant) in old.iter().enumerate() {
            let is_there = new
                .iter()
                .any(|candidate| self.is_compatible(variant, candidate));
            if !is_there {
                let detail = format!(
                    "form {number} is gone or is not the same: {}",
                    label(variant)
                );
                self.found.add(Rule::VariantRemoved, place, detail);
            }
        }
    }

    fn is_compatible(&self, old: &Value, new: &Value) -> bool {
        let mut found = Findings::default();
        let mut comparison = Comparison {
            direction: self.direction,
            old_root: self.old_root,
            new_root: self.new_root,
            found: &mut found,
            open: self.open.clone(),
        };
        comparison.compare("", old, new);
        found.0.is_empty()
    }
}

fn shape<'a>(root: &'a Value, schema: &'a Value) -> Shape<'a> {
    let mut shape = Shape::default();
    gather(root, schema, &mut shape, 0);
    shape
}

fn gather<'a>(root: &'a Value, schema: &'a Value, shape: &mut Shape<'a>, depth: u8) {
    let Some(members) = schema.as_object().filter(|_| depth < 32) else {
        return;
    };
    if let Some(target) = target(root, members) {
        gather(root, target, shape, depth + 1);
    }
    for part in members
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        gather(root, part, shape, depth + 1);
    }
    for (name, property) in members
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        shape.properties.entry(name).or_default().push(property);
    }
    let required = members.get("required").and_then(Value::as_array);
    shape
        .required
        .extend(required.into_iter().flatten().filter_map(Value::as_str));
    let closes = |keyword: &str| members.get(keyword) == Some(&Value::Bool(false));
    shape.closed |= closes("additionalProperties") || closes("unevaluatedProperties");
    for (keyword, value) in members {
        shape.keywords.insert(keyword, value);
    }
}

/// The types it admits; `None` for any.
fn types(root: &Value, schema: &Value) -> Option<BTreeSet<String>> {
    let members = schema.as_object()?;
    if let Some(target) = target(root, members) {
        return types(root, target);
    }
    match members.get("type") {
        Some(Value::String(one)) => return Some(BTreeSet::from([one.clone()])),
        Some(Value::Array(several)) => {
            return Some(
                several
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            );
        }
        _ => {}
    }
    if let Some(value) = members.get("const") {
        return Some(BTreeSet::from([type_of(value).to_owned()]));
    }
    let list = |keyword: &str| members.get(keyword).and_then(Value::as_array);
    if let Some(parts) = list("allOf") {
        return parts.iter().find_map(|part| types(root, part));
    }
    let forms = list("oneOf").or_else(|| list("anyOf"))?;
    let all: Option<Vec<_>> = forms.iter().map(|form| types(root, form)).collect();
    Some(all?.into_iter().flatten().collect())
}

fn target<'a>(root: &'a Value, members: &Map<String, Value>) -> Option<&'a Value> {
    let reference = members.get("$ref").and_then(Value::as_str)?;
    root.pointer(reference.strip_prefix('#')?)
}

fn enumeration(shape: &Shape<'_>) -> Option<Vec<Value>> {
    if let Some(value) = shape.keywords.get("const") {
        return Some(vec![(*value).clone()]);
    }
    shape
        .keywords
        .get("enum")
        .and_then(|value| value.as_array())
        .cloned()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn label(schema: &Value) -> String {
    let name = schema.get("$ref").or_else(|| schema.get("title"));
    name.unwrap_or(schema)
        .to_string()
        .chars()
        .take(120)
        .collect()
}
