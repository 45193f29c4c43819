//! One breaking change for every rule, and none in what only grows.

use conformance::additive::{Direction, Rule, documents, schemas};
use serde_json::{Value, json};

fn base() -> Value {
    json!({
        "security": [],
        "paths": { "/a": {
            "post": {
                "operationId": "makeA",
                "security": [{ "bearer": [] }],
                "parameters": [
                    { "name": "q", "in": "query", "schema": { "type": "string" } },
                ],
                "requestBody": { "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/In" } },
                } },
                "responses": {
                    "200": {
                        "headers": { "ETag": {} },
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Out" } } },
                    },
                    "404": { "$ref": "#/components/responses/NotFound" },
                },
            },
            "get": { "operationId": "getA", "responses": {} },
        } },
        "components": {
            "responses": { "NotFound": { "content": { "application/problem+json": { "schema": {
                "properties": { "code": { "enum": ["not_found", "gone"] } },
            } } } } },
            "schemas": {
                "In": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "maxLength": 10 },
                        "kind": { "type": "string", "enum": ["x", "y"] },
                        "note": { "type": ["string", "null"] },
                    },
                },
                "Out": {
                    "type": "object",
                    "required": ["id", "form"],
                    "properties": {
                        "id": { "type": "string", "format": "uuid" },
                        "count": { "type": "integer" },
                        "form": { "oneOf": [
                            { "type": "object", "required": ["type"], "properties": { "type": { "const": "one" } } },
                            { "type": "object", "required": ["type"], "properties": { "type": { "const": "two" } } },
                        ] },
                        "self": { "$ref": "#/components/schemas/Out" },
                    },
                },
            },
        },
    })
}

/// The rules that a change breaks.
fn rules(change: impl FnOnce(&mut Value)) -> Vec<Rule> {
    let (old, mut new) = (base(), base());
    change(&mut new);
    documents(&old, &new)
        .into_iter()
        .map(|found| found.rule)
        .collect()
}

fn remove(value: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let (parent, name) = (value.pointer_mut(parent).unwrap(), name.replace("~1", "/"));
    match parent {
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        Value::Object(members) => drop(members.remove(&name).unwrap()),
        _ => panic!("{pointer}"),
    }
}

fn set(value: &mut Value, pointer: &str, to: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(place) if parent.is_array() => parent[place] = to,
        _ => parent[name.replace("~1", "/")] = to,
    }
}

const POST: &str = "/paths/~1a/post";
const IN: &str = "/components/schemas/In";
const OUT: &str = "/components/schemas/Out";

#[test]
fn what_only_grows_breaks_nobody() {
    let found = rules(|new| {
        set(
            new,
            "/paths/~1b",
            json!({ "get": { "operationId": "getB" } }),
        );
        set(new, &format!("{POST}/responses/409"), json!({}));
        set(
            new,
            &format!("{POST}/security"),
            json!([{ "bearer": [] }, { "key": [] }]),
        );
        set(
            new,
            &format!("{POST}/parameters/0/schema/type"),
            json!(["string", "null"]),
        );
        set(
            new,
            &format!("{IN}/properties/more"),
            json!({ "type": "string" }),
        );
        set(
            new,
            &format!("{IN}/properties/kind/enum"),
            json!(["x", "y", "z"]),
        );
        set(new, &format!("{IN}/properties/name/maxLength"), json!(20));
        set(new, &format!("{IN}/required"), json!([]));
        set(
            new,
            &format!("{OUT}/properties/more"),
            json!({ "type": "string" }),
        );
        set(
            new,
            &format!("{OUT}/required"),
            json!(["id", "form", "count"]),
        );
        let third = json!({ "type": "object", "properties": { "type": { "const": "three" } } });
        new.pointer_mut(&format!("{OUT}/properties/form/oneOf"))
            .unwrap()
            .as_array_mut()
            .unwrap()
            .insert(0, third);
        let codes = "/components/responses/NotFound/content/application~1problem+json/schema/properties/code/enum";
        set(new, codes, json!(["gone", "not_found", "new_one"]));
    });
    assert_eq!(found, vec![]);
}

#[test]
fn operations_stay_what_they_are() {
    assert_eq!(rules(|new| remove(new, "/paths/~1a")), [Rule::PathRemoved]);
    assert_eq!(
        rules(|new| remove(new, "/paths/~1a/get")),
        [Rule::OperationRemoved]
    );
    let renamed = rules(|new| set(new, "/paths/~1a/get/operationId", json!("readA")));
    assert_eq!(renamed, [Rule::OperationRenamed]);
    let closed = rules(|new| set(new, "/paths/~1a/get/security", json!([{ "bearer": [] }])));
    assert_eq!(closed, [Rule::SecurityTightened]);
    let more = rules(|new| {
        set(
            new,
            &format!("{POST}/security"),
            json!([{ "bearer": [], "key": [] }]),
        );
    });
    assert_eq!(more, [Rule::SecurityTightened]);
}

#[test]
fn what_is_sent_goes_on_being_taken() {
    let parameters = format!("{POST}/parameters");
    assert_eq!(
        rules(|new| set(new, &parameters, json!([]))),
        [Rule::ParameterRemoved]
    );
    let required = rules(|new| {
        set(
            new,
            &format!("{parameters}/0"),
            json!({
                "name": "q", "in": "query", "required": true, "schema": { "type": "string" },
            }),
        );
    });
    assert_eq!(required, [Rule::ParameterRequired]);
    let new_one = rules(|new| {
        let parameter = json!({ "name": "r", "in": "header", "required": true });
        new.pointer_mut(&parameters)
            .unwrap()
            .as_array_mut()
            .unwrap()
            .push(parameter);
    });
    assert_eq!(new_one, [Rule::ParameterRequired]);
    let narrowed = rules(|new| set(new, &format!("{parameters}/0/schema/pattern"), json!("^a$")));
    assert_eq!(narrowed, [Rule::ConstraintTightened]);
    let body = rules(|new| set(new, &format!("{POST}/requestBody/required"), json!(true)));
    assert_eq!(body, [Rule::BodyRequired]);
    let media = rules(|new| {
        set(
            new,
            &format!("{POST}/requestBody/content"),
            json!({ "text/plain": {} }),
        );
    });
    assert_eq!(media, [Rule::MediaTypeRemoved]);
    assert_eq!(
        rules(|new| remove(new, &format!("{IN}/properties/note"))),
        [Rule::PropertyRemoved]
    );
    let required = rules(|new| set(new, &format!("{IN}/required"), json!(["name", "kind"])));
    assert_eq!(required, [Rule::PropertyRequired]);
    let no_null = rules(|new| set(new, &format!("{IN}/properties/note/type"), json!("string")));
    assert_eq!(no_null, [Rule::TypeChanged]);
    let fewer = rules(|new| set(new, &format!("{IN}/properties/kind/enum"), json!(["x"])));
    assert_eq!(fewer, [Rule::EnumValueRemoved]);
    let listed = rules(|new| set(new, &format!("{IN}/properties/name/enum"), json!(["x"])));
    assert_eq!(listed, [Rule::EnumChanged]);
    for (keyword, value) in [
        ("maxLength", json!(9)),
        ("minLength", json!(1)),
        ("format", json!("uuid")),
    ] {
        let tight = rules(|new| set(new, &format!("{IN}/properties/name/{keyword}"), value));
        assert_eq!(tight, [Rule::ConstraintTightened], "{keyword}");
    }
    let closed = rules(|new| set(new, &format!("{IN}/additionalProperties"), json!(false)));
    assert_eq!(closed, [Rule::UnknownRefused]);
}

#[test]
fn what_is_read_goes_on_being_there() {
    assert_eq!(
        rules(|new| remove(new, &format!("{POST}/responses/404"))),
        [Rule::ResponseRemoved]
    );
    assert_eq!(
        rules(|new| remove(new, &format!("{POST}/responses/200/headers/ETag"))),
        [Rule::HeaderRemoved]
    );
    assert_eq!(
        rules(|new| remove(
            new,
            &format!("{POST}/responses/200/content/application~1json")
        )),
        [Rule::MediaTypeRemoved]
    );
    assert_eq!(
        rules(|new| remove(new, &format!("{OUT}/properties/count"))),
        [Rule::PropertyRemoved]
    );
    let optional = rules(|new| set(new, &format!("{OUT}/required"), json!(["form"])));
    assert_eq!(optional, [Rule::PropertyNoLongerPromised]);
    let nullable = rules(|new| {
        set(
            new,
            &format!("{OUT}/properties/count/type"),
            json!(["integer", "null"]),
        );
    });
    assert_eq!(nullable, [Rule::TypeChanged]);
    let text = rules(|new| {
        set(
            new,
            &format!("{OUT}/properties/count/type"),
            json!("string"),
        );
    });
    assert_eq!(text, [Rule::TypeChanged]);
    assert_eq!(
        rules(|new| remove(new, &format!("{OUT}/properties/id/format"))),
        [Rule::FormChanged]
    );
    assert_eq!(
        rules(|new| remove(new, &format!("{OUT}/properties/form/oneOf/1"))),
        [Rule::VariantRemoved]
    );
    let codes =
        "/components/responses/NotFound/content/application~1problem+json/schema/properties/code";
    assert_eq!(
        rules(|new| set(new, &format!("{codes}/enum"), json!(["gone"]))),
        [Rule::EnumValueRemoved]
    );
    assert_eq!(rules(|new| set(new, codes, json!({}))), [Rule::EnumChanged]);
}

#[test]
fn which_way_a_value_goes_decides() {
    let (narrow, wide) = (
        json!({ "type": "integer" }),
        json!({ "type": ["integer", "null"] }),
    );
    assert_eq!(schemas(Direction::Request, &narrow, &wide), vec![]);
    assert_eq!(schemas(Direction::Response, &narrow, &wide).len(), 1);
    assert_eq!(schemas(Direction::Request, &wide, &narrow).len(), 1);
    assert_eq!(schemas(Direction::Response, &wide, &narrow), vec![]);
}
