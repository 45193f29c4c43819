//! The operations of an `OpenAPI` document, and requests to them.

use super::sample::{resolve, sample};
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `POST`.
    pub method: String,
    /// The template, `/auth/sessions/{id}`.
    pub path: String,
    /// `operationId`.
    pub id: String,
    /// Who may call it: `x-twist-policy`.
    pub policy: String,
    parameters: Vec<(Kind, String, Value)>,
    body: Option<Value>,
    statuses: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Path,
    Query,
    Header,
}

/// A string of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A parameter in the path.
    Path(String),
    /// A parameter in the query.
    Query(String),
    /// A header.
    Header(String),
    /// A member of the body, as a JSON pointer.
    Body(String),
}

/// A request to an operation.
#[derive(Debug, Clone)]
pub struct Request {
    /// Path and query, encoded.
    pub target: String,
    /// Headers that the document names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Value>,
}

/// Every operation of `document`.
pub fn operations(document: &Value) -> Vec<Operation> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut all = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                all.push(read(document, method, path, operation));
            }
        }
    }
    assert!(!all.is_empty(), "the document has no operation");
    all
}

fn read(document: &Value, method: &str, path: &str, operation: &Value) -> Operation {
    let text = |name: &str| {
        let value = operation.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let parameters = parameters.into_iter().flatten().filter_map(|parameter| {
        let parameter = resolve(document, parameter);
        let kind = match parameter.get("in")?.as_str()? {
            "path" => Kind::Path,
            "query" => Kind::Query,
            "header" => Kind::Header,
            _ => return None,
        };
        let name = parameter.get("name")?.as_str()?.to_owned();
        Some((kind, name, sample(document, parameter.get("schema")?)))
    });
    let body = operation
        .get("requestBody")
        .map(|body| resolve(document, body))
        .and_then(|body| body.pointer("/content/application~1json/schema"))
        .map(|schema| sample(document, schema));
    let statuses = operation.get("responses").and_then(Value::as_object);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        id: text("operationId"),
        policy: text("x-twist-policy"),
        parameters: parameters.collect(),
        body,
        statuses: statuses
            .into_iter()
            .flatten()
            .map(|(status, _)| status.clone())
            .collect(),
    }
}

impl Operation {
    /// Whether it takes a JSON body.
    pub const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// Whether the document says that it may be answered so.
    pub fn documents(&self, status: u16) -> bool {
        let (whole, class) = (status.to_string(), format!("{}XX", status / 100));
        self.statuses
            .iter()
            .any(|known| *known == whole || *known == class || known == "default")
    }

    /// Every string of a request with `body` (or, without one, with a body made from the schema).
    pub fn strings(&self, body: Option<&Value>) -> Vec<Place> {
        let mut places: Vec<Place> = self
            .parameters
            .iter()
            .map(|(kind, name, _)| match kind {
                Kind::Path => Place::Path(name.clone()),
                Kind::Query => Place::Query(name.clone()),
                Kind::Header => Place::Header(name.clone()),
            })
            .collect();
        if let Some(body) = body.or(self.body.as_ref()) {
            leaves(body, "", &mut places);
        }
        places
    }

    /// A request with `body` (or one made from the schema), and `text` in each of `places`.
    pub fn request(&self, body: Option<&Value>, places: &[Place], text: &str) -> Request {
        let mut body = body.or(self.body.as_ref()).cloned();
        let (mut path, mut query, mut headers) = (self.path.clone(), Vec::new(), Vec::new());
        for (kind, name, sample) in &self.parameters {
            let plain = match sample {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match kind {
                Kind::Path => {
                    let chosen = places.contains(&Place::Path(name.clone()));
                    let value = if chosen { text } else { &plain };
                    path = path.replace(&format!("{{{name}}}"), &encode(value));
                }
                // What need not be there is there only if it is the one in question.
                Kind::Query if places.contains(&Place::Query(name.clone())) => {
                    query.push(format!("{name}={}", encode(text)));
                }
                Kind::Header if places.contains(&Place::Header(name.clone())) => {
                    headers.push((name.clone(), text.to_owned()));
                }
                Kind::Query | Kind::Header => {}
            }
        }
        for place in places {
            if let (Place::Body(pointer), Some(body)) = (place, body.as_mut())
                && let Some(slot) = body.pointer_mut(pointer)
            {
                *slot = text.into();
            }
        }
        let query = query.join("&");
        Request {
            target: if query.is_empty() {
                path
            } else {
                format!("{path}?{query}")
            },
            headers,
            body,
        }
    }
}

fn leaves(value: &Value, pointer: &str, places: &mut Vec<Place>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{pointer}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, &format!("{pointer}/{index}"), places);
            }
        }
        Value::String(_) => places.push(Place::Body(pointer.to_owned())),
        _ => {}
    }
}

/// Percent-encoded, everything but letters and digits.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
