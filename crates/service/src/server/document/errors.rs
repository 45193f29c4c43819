//! The refusals that an operation may answer with.

use super::common::add_headers;
use crate::access::{Policy, RouteRule};
use crate::limit::RateClass;
use contracts::{Code, problem};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Statuses of refusals, each with its name among the components.
const NAMES: [(u16, &str, &str); 13] = [
    (400, "BadRequest", "The request is not valid."),
    (401, "Unauthorized", "Who calls is not known."),
    (403, "Forbidden", "The caller may not do this."),
    (404, "NotFound", "No such object, or not the caller's."),
    (405, "MethodNotAllowed", "The route is not for this method."),
    (409, "Conflict", "The state of things does not admit it."),
    (413, "TooLarge", "The body is too long."),
    (415, "UnsupportedMedia", "The body is not JSON."),
    (
        422,
        "KeyReused",
        "The Idempotency-Key came with another request.",
    ),
    (
        429,
        "TooManyRequests",
        "Too many requests; Retry-After says when to come back.",
    ),
    (
        500,
        "Internal",
        "Our fault; the request id finds it in our logs.",
    ),
    (501, "NotImplemented", "This deployment cannot do that."),
    (
        503,
        "Unavailable",
        "Not now; the same request may succeed later.",
    ),
];

/// Which refusals an operation has.
pub(super) struct Refusals {
    statuses: BTreeSet<u16>,
}

impl Refusals {
    /// Those that follow from what the operation takes and from its rule.
    pub(super) fn of(operation: &Map<String, Value>, rule: &RouteRule) -> Self {
        // Browsers say which page a request comes from, and the shell refuses strangers' pages everywhere.
        let mut statuses = BTreeSet::from([403, 500, 503]);
        let policy = rule.rule.policy;
        let signed = policy == Policy::Service;
        let takes = |place: &str| takes(operation, place);
        let has_body = operation.contains_key("requestBody");
        if has_body || takes("path") || takes("query") || takes("header") {
            statuses.insert(400);
        }
        if policy.needs_token() || signed {
            statuses.insert(401);
        }
        if takes("path") || policy == Policy::Owner {
            statuses.insert(404);
        }
        if has_body || signed {
            statuses.insert(413);
        }
        if has_body && !signed {
            statuses.insert(415);
        }
        if takes_key(operation) {
            statuses.extend([409, 422]);
        }
        if rule.rule.class != RateClass::Unlimited {
            statuses.insert(429);
        }
        Self { statuses }
    }

    /// Whether callers are told how much they have left.
    pub(super) fn is_limited(&self) -> bool {
        self.statuses.contains(&429)
    }

    /// Writes them among `responses`, in the place of what the handler says of its own.
    pub(super) fn document(&self, responses: &mut Map<String, Value>) {
        responses.remove("default");
        let own: Vec<u16> = responses
            .iter()
            .filter(|(_, response)| response.pointer(&media_pointer()).is_some())
            .filter_map(|(status, _)| status.parse().ok())
            .collect();
        for status in self.statuses.iter().copied().chain(own) {
            let Some((_, name, _)) = NAMES.iter().find(|(of, ..)| *of == status) else {
                continue;
            };
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            let place = responses.entry(status.to_string()).or_insert(Value::Null);
            match place.get_mut("content").and_then(Value::as_object_mut) {
                // An answer of the handler's own, as that of /ready: the shell may refuse beside it.
                Some(content) if content.contains_key("application/json") => {
                    content.insert(problem::MEDIA_TYPE.to_owned(), media(status));
                }
                _ => *place = reference,
            }
        }
    }
}

/// The refusals as components: each admits the codes of its status only.
pub(super) fn responses() -> Value {
    let named = NAMES.iter().map(|(status, name, description)| {
        let mut response = Map::new();
        response.insert("description".to_owned(), json!(description));
        response.insert(
            "content".to_owned(),
            json!({ problem::MEDIA_TYPE: media(*status) }),
        );
        add_headers(&mut response, *status == 429);
        let extra = match status {
            401 => Some(("WWW-Authenticate", "Challenge")),
            405 => Some(("Allow", "Allow")),
            429 | 503 => Some(("Retry-After", "RetryAfter")),
            _ => None,
        };
        if let (Some((header, component)), Some(headers)) = (
            extra,
            response.get_mut("headers").and_then(Value::as_object_mut),
        ) {
            let reference = format!("#/components/headers/{component}");
            headers.insert(header.to_owned(), json!({ "$ref": reference }));
        }
        ((*name).to_owned(), Value::Object(response))
    });
    Value::Object(named.collect())
}

fn media(status: u16) -> Value {
    let codes: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| code.status() == status)
        .map(|code| code.as_str())
        .collect();
    json!({ "schema": {
        "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            { "properties": { "status": { "const": status }, "code": { "enum": codes } } },
        ],
    } })
}

fn media_pointer() -> String {
    format!("/content/{}", problem::MEDIA_TYPE.replace('/', "~1"))
}

fn takes(operation: &Map<String, Value>, place: &str) -> bool {
    parameters(operation).any(|parameter| parameter.get("in").is_some_and(|is| is == place))
}

fn takes_key(operation: &Map<String, Value>) -> bool {
    parameters(operation).any(|parameter| {
        parameter
            .get("name")
            .is_some_and(|name| name == "Idempotency-Key")
    })
}

fn parameters(operation: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters.into_iter().flatten()
}
