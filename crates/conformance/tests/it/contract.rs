//! Answers judged by a small document.

use conformance::{Contract, Violation};
use serde_json::{Value, json};

pub(crate) fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "t", "version": "1" },
        "servers": [{ "url": "/" }, { "url": "/api/v1" }],
        "paths": {
            "/things/{id}": { "get": { "responses": {
                "200": {
                    "description": "d",
                    "headers": { "X-Request-ID": { "required": true, "schema": { "type": "string" } } },
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } },
                },
                "204": { "description": "d" },
                "404": { "$ref": "#/components/responses/NotFound" },
            } } },
            "/things/newest": { "get": { "responses": { "204": { "description": "d" } } } },
            "/internal": {
                "servers": [{ "url": "/" }],
                "get": { "responses": { "204": { "description": "d" } } },
            },
        },
        "components": {
            "responses": {
                "NotFound": problem(404),
                "MethodNotAllowed": problem(405),
            },
            "schemas": {
                "Thing": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {
                        "id": { "type": "string", "format": "uuid" },
                        "part": { "$ref": "#/components/schemas/Part" },
                    },
                },
                "Part": { "type": "object", "properties": { "n": { "type": "integer" } } },
                "Problem": {
                    "type": "object",
                    "required": ["status"],
                    "properties": { "status": { "type": "integer" }, "code": { "type": "string" } },
                },
            },
        },
    })
}

fn problem(status: u16) -> Value {
    json!({ "description": "d", "content": { "application/problem+json": { "schema": { "allOf": [
        { "$ref": "#/components/schemas/Problem" },
        { "properties": { "status": { "const": status }, "code": { "enum": ["gone"] } } },
    ] } } } })
}

const ID: &str = "0190b2a4-7d1e-7c3a-9f10-2f6a5b1c8d3e";

fn judge(
    method: &str,
    path: &str,
    status: u16,
    kind: Option<&str>,
    body: &str,
) -> Result<(), Violation> {
    let contract = Contract::from_document(&document()).unwrap();
    contract.check(method, path, status, kind, body.as_bytes())
}

fn json_200(body: &Value) -> Result<(), Violation> {
    judge(
        "GET",
        "/things/a",
        200,
        Some("application/json"),
        &body.to_string(),
    )
}

#[test]
fn an_answer_as_documented_passes_under_every_prefix() {
    let body = json!({ "id": ID, "part": { "n": 1 } });
    assert_eq!(json_200(&body), Ok(()));
    let json = Some("application/json; charset=utf-8");
    assert_eq!(
        judge("GET", "/api/v1/things/a", 200, json, &body.to_string()),
        Ok(())
    );
    assert_eq!(judge("HEAD", "/things/a", 200, json, ""), Ok(()));
    assert_eq!(judge("GET", "/things/newest", 204, None, ""), Ok(()));
}

#[test]
fn a_member_that_is_missing_or_wrong_or_not_documented_is_a_violation() {
    for body in [
        json!({}),
        json!({ "id": "x" }),
        json!({ "id": ID, "extra": 1 }),
        json!({ "id": ID, "part": { "n": 1, "extra": 1 } }),
        json!({ "id": ID, "part": { "n": "1" } }),
        json!([]),
    ] {
        assert!(
            matches!(json_200(&body), Err(Violation::Schema(_))),
            "{body}"
        );
    }
    let json = Some("application/json");
    assert_eq!(
        judge("GET", "/things/a", 200, json, "{"),
        Err(Violation::NotJson)
    );
}

#[test]
fn what_the_document_does_not_have_is_a_violation() {
    let json = Some("application/json");
    assert_eq!(
        judge("GET", "/things/a", 201, json, "{}"),
        Err(Violation::UndocumentedStatus(201))
    );
    assert_eq!(
        judge("GET", "/things/a", 200, Some("text/plain"), ""),
        Err(Violation::UndocumentedContentType(Some(
            "text/plain".into()
        )))
    );
    assert_eq!(
        judge("GET", "/things/a", 200, None, ""),
        Err(Violation::UndocumentedContentType(None))
    );
    assert_eq!(
        judge("GET", "/things/a", 204, None, "x"),
        Err(Violation::UnexpectedBody)
    );
    assert_eq!(
        judge("GET", "/other", 200, json, "{}"),
        Err(Violation::UndocumentedPath)
    );
    assert_eq!(
        judge("POST", "/things/a", 200, json, "{}"),
        Err(Violation::UndocumentedMethod)
    );
    assert_eq!(
        judge("GET", "/api/v1/internal", 204, None, ""),
        Err(Violation::UndocumentedPath)
    );
    // An operation with a literal path is not taken for the one with a parameter.
    assert_eq!(
        judge("GET", "/things/newest", 200, json, "{}"),
        Err(Violation::UndocumentedStatus(200))
    );
}

#[test]
fn the_shells_refusals_pass_where_there_is_no_operation_and_only_as_documented() {
    let problem = Some("application/problem+json");
    let gone = |status: u16| json!({ "status": status, "code": "gone" }).to_string();
    assert_eq!(judge("GET", "/other", 404, problem, &gone(404)), Ok(()));
    assert_eq!(judge("POST", "/things/a", 405, problem, &gone(405)), Ok(()));
    assert_eq!(
        judge("POST", "/things/a", 404, problem, &gone(404)),
        Err(Violation::UndocumentedMethod)
    );
    assert_eq!(
        judge("GET", "/other", 405, problem, &gone(405)),
        Err(Violation::UndocumentedPath)
    );
    let other_code = json!({ "status": 404, "code": "other" }).to_string();
    let wrong_status = gone(400);
    let unknown_member = json!({ "status": 404, "code": "gone", "stack": "…" }).to_string();
    for body in [other_code, wrong_status, unknown_member] {
        let judged = judge("GET", "/other", 404, problem, &body);
        assert!(matches!(judged, Err(Violation::Schema(_))), "{body}");
    }
}

#[test]
fn a_header_that_every_such_answer_has_is_missed() {
    let contract = Contract::from_document(&document()).unwrap();
    let judge =
        |names: &[&str]| contract.check_headers("GET", "/things/a", 200, names.iter().copied());
    assert_eq!(judge(&["content-type", "x-request-id"]), Ok(()));
    assert_eq!(
        judge(&["content-type"]),
        Err(Violation::MissingHeader("X-Request-ID".into()))
    );
}

#[test]
fn a_document_with_a_dangling_reference_is_refused() {
    let mut broken = document();
    broken["components"]["responses"]
        .as_object_mut()
        .unwrap()
        .remove("NotFound");
    assert!(matches!(
        Contract::from_document(&broken),
        Err(Violation::Document(_))
    ));
}
