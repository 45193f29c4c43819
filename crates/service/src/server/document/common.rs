//! What every operation shares: headers, parameters, tags.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What the tags mean.
const TAGS: [(&str, &str); 9] = [
    ("account", "The caller's account, balance and rewards."),
    ("admin", "What admins do to other users' sessions."),
    (
        "auth",
        "Signing a wallet in, and the keys that verify tokens.",
    ),
    ("devices", "The keys that sign VAUs for the caller."),
    (
        "health",
        "Whether the service works, which build it is, and this document.",
    ),
    (
        "internal",
        "Between the parts of the platform, signed with a shared secret.",
    ),
    ("keys", "The keys that sign access tokens."),
    (
        "sessions",
        "The caller's sessions: refreshing and ending them.",
    ),
    ("wallets", "The caller's wallets."),
];

/// Tag objects for the tags in use.
pub(super) fn tags(used: &BTreeSet<String>) -> Value {
    let object = |name: &String| {
        let known = TAGS.iter().find(|(tag, _)| tag == name);
        match known {
            Some((_, description)) => json!({ "name": name, "description": description }),
            None => json!({ "name": name }),
        }
    };
    used.iter().map(object).collect()
}

/// Headers of answers, by component name.
pub(super) fn headers() -> Value {
    let header = |required: bool, schema: Value, description: &str| json!({ "description": description, "required": required, "schema": schema });
    let count = || json!({ "type": "integer", "minimum": 0 });
    json!({
        "RequestId": header(true, json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$" }),
            "Finds the request in the logs; the caller's own X-Request-ID when that was well formed."),
        "RetryAfter": header(false, json!({ "type": "integer", "minimum": 1 }),
            "Seconds to wait before the same request is sent again."),
        "Challenge": header(false, json!({ "type": "string" }),
            "What kind of proof is asked for (RFC 9110)."),
        "Allow": header(true, json!({ "type": "string" }), "The methods of the route."),
        "RateLimitPolicy": header(false, json!({ "type": "string" }),
            "The limit's name, calls and period: `\"read\";q=6000;w=60`."),
        "RateLimitLimit": header(false, count(), "Calls in a period."),
        "RateLimitRemaining": header(false, count(), "Calls that may follow at once."),
        "RateLimitReset": header(false, count(), "Seconds until the whole limit is there again."),
        "RateLimitResetAt": header(false, json!({ "type": "string", "format": "date-time" }),
            "When the whole limit is there again."),
    })
}

/// Parameters that every operation takes.
pub(super) fn parameters() -> Value {
    json!({ "RequestId": {
        "name": "X-Request-ID",
        "in": "header",
        "required": false,
        "description": "8 to 64 of `A-Z a-z 0-9 _ -`: becomes the id of the request. Anything else is replaced by a new id.",
        "schema": { "type": "string" },
        "example": "checkout-7f3a9c",
    } })
}

/// Adds the headers that every answer carries, and those of a limit.
pub(super) fn add_headers(response: &mut Map<String, Value>, limited: bool) {
    let headers = response
        .entry("headers")
        .or_insert_with(|| json!({}))
        .as_object_mut();
    let Some(headers) = headers else { return };
    let mut add = |name: &str, component: &str| {
        headers
            .entry(name)
            .or_insert_with(|| json!({ "$ref": format!("#/components/headers/{component}") }));
    };
    add("X-Request-ID", "RequestId");
    if limited {
        add("RateLimit-Policy", "RateLimitPolicy");
        add("RateLimit-Limit", "RateLimitLimit");
        add("RateLimit-Remaining", "RateLimitRemaining");
        add("RateLimit-Reset", "RateLimitReset");
        add("X-RateLimit-Limit", "RateLimitLimit");
        add("X-RateLimit-Remaining", "RateLimitRemaining");
        add("X-RateLimit-Reset", "RateLimitResetAt");
    }
}

/// The document itself and the page that shows it.
pub(super) fn own_paths() -> [(&'static str, Value); 2] {
    let document = json!({ "application/json": { "schema": {
        "type": "object",
        "required": ["openapi", "info", "paths"],
        "additionalProperties": true,
    } } });
    let page = json!({ "text/html": { "schema": { "type": "string" } } });
    [
        (
            "/openapi.json",
            own_path("getOpenApi", "This document", &document),
        ),
        (
            "/docs",
            own_path("getDocs", "A page that shows this document", &page),
        ),
    ]
}

fn own_path(id: &str, summary: &str, content: &Value) -> Value {
    json!({ "get": {
        "operationId": id,
        "summary": summary,
        "tags": ["health"],
        "x-twist-policy": "public",
        "x-twist-rate-class": "unlimited",
        "responses": { "200": { "description": format!("{summary}."), "content": content } },
    } })
}
