use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn good() -> Value {
    json!({
        "userId": "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv",
        "deviceId": "ab".repeat(32),
        "siteId": "site-1",
        "timestamp": 1_767_225_600_000_u64,
        "payload": "{}",
        "signature": "cd".repeat(64),
    })
}

fn attested() -> Value {
    let mut body = good();
    body["attestation"] = json!({
        "credentialId": "c", "clientDataJSON": "{}", "authenticatorData": "a", "signature": "s",
    });
    body
}

fn parse_value(value: &Value) -> Result<VauSubmission, Refusal> {
    parse(&serde_json::to_vec(value).unwrap())
}

fn wrong_at(value: &Value) -> Vec<String> {
    let refusal = parse_value(value).unwrap_err();
    assert_eq!(refusal.code, Code::ValidationFailed, "{refusal:?}");
    refusal.fields.into_iter().map(|f| f.pointer).collect()
}

#[test]
fn a_complete_submission_is_read() {
    assert!(parse_value(&good()).is_ok());
    assert!(parse_value(&attested()).is_ok());
}

#[test]
fn every_missing_field_is_named() {
    for name in [
        "userId",
        "deviceId",
        "siteId",
        "timestamp",
        "payload",
        "signature",
    ] {
        let mut body = good();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(wrong_at(&body), [format!("/{name}")]);
    }
    let mut body = attested();
    body["attestation"]
        .as_object_mut()
        .unwrap()
        .remove("clientDataJSON");
    assert_eq!(wrong_at(&body), ["/attestation/clientDataJSON"]);
}

#[test]
fn a_list_of_the_fields_is_no_submission() {
    let vau = good();
    let fields = [
        "userId",
        "deviceId",
        "siteId",
        "timestamp",
        "payload",
        "signature",
    ];
    let in_order: Value = fields.iter().map(|name| vau[name].clone()).collect();
    assert_eq!(wrong_at(&in_order), [""]);
    assert_eq!(wrong_at(&json!([[]])), [""]);
    let mut body = attested();
    let members = body["attestation"].as_object().unwrap().values();
    body["attestation"] = members.cloned().collect();
    assert_eq!(wrong_at(&body), ["/attestation"]);
    body["attestation"] = Value::Null;
    assert!(parse_value(&body).is_ok());
    let open = parse(b"[").unwrap_err();
    assert_eq!(open.code, Code::RequestMalformed);
}

#[test]
fn a_field_of_the_wrong_kind_is_named() {
    let cases = [
        ("userId", json!(7)),
        ("userId", json!("0OIl")),
        ("userId", json!(null)),
        ("deviceId", json!("AB".repeat(32))),
        ("deviceId", json!("ab")),
        ("siteId", json!("")),
        ("siteId", json!("a\u{0}b")),
        ("timestamp", json!("1767225600000")),
        ("timestamp", json!(-1)),
        ("timestamp", json!(1.5)),
        ("timestamp", json!(1_u64 << 53)),
        ("payload", json!({"duration": 1})),
        ("payload", json!("x".repeat(8_193))),
        ("signature", json!("CD".repeat(64))),
        ("signature", json!("cd".repeat(63))),
        ("attestation", json!("none")),
    ];
    for (name, value) in cases {
        let mut body = good();
        body[name] = value;
        assert_eq!(wrong_at(&body), [format!("/{name}")], "{body}");
    }
    let mut body = attested();
    body["attestation"]["userHandle"] = json!("x".repeat(2_049));
    assert_eq!(wrong_at(&body), ["/attestation/userHandle"]);
    body["attestation"]["userHandle"] = json!(1);
    assert_eq!(wrong_at(&body), ["/attestation/userHandle"]);
}

#[test]
fn what_is_not_one_json_object_is_malformed() {
    let whole = good().to_string();
    let cut = &whole[..whole.len() - 1];
    let twice = format!("{whole}{whole}");
    let late = whole.replace("\"payload\":\"{}\"", "\"payload\":7,,");
    for bad in [
        "",
        "{",
        cut,
        &twice,
        &late,
        "\u{feff}{}",
        "{\"userId\":\"\\ud800\"}",
        "nul",
    ] {
        assert_eq!(
            parse(bad.as_bytes()).unwrap_err().code,
            Code::RequestMalformed,
            "{bad}"
        );
    }
    assert_eq!(
        parse(b"{\"userId\":\"\xff\"}").unwrap_err().code,
        Code::RequestMalformed
    );
    for not_object in ["[]", "null", "7", "\"x\""] {
        let refusal = parse(not_object.as_bytes()).unwrap_err();
        assert_eq!(refusal.code, Code::ValidationFailed, "{not_object}");
        assert_eq!(refusal.fields[0].pointer, "");
    }
}

#[test]
fn a_field_sent_twice_is_refused_and_not_silently_chosen() {
    let body = good().to_string().replace(
        "\"payload\":\"{}\"",
        "\"payload\":\"{}\",\"payload\":\"[]\"",
    );
    let refusal = parse(body.as_bytes()).unwrap_err();
    assert_eq!(refusal.code, Code::ValidationFailed);
    assert_eq!(refusal.fields[0].message, "is there twice");
}

#[test]
fn an_identity_in_the_body_is_told_apart_from_a_typing_error() {
    for name in IDENTITIES {
        let mut body = good();
        body[name] = json!("x");
        assert_eq!(
            parse_value(&body).unwrap_err().code,
            Code::RequestIdentityInBody
        );
    }
    let mut body = good();
    body["paylod"] = json!("x");
    assert_eq!(wrong_at(&body), [""]);
    let mut body = attested();
    body["attestation"]["extra"] = json!("x");
    assert_eq!(wrong_at(&body), ["/attestation"]);
}

#[test]
fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
    let text = good().to_string();
    let padded = format!("{text}{}", " ".repeat(MAX_BODY_BYTES - text.len()));
    assert!(parse(padded.as_bytes()).is_ok());
    assert_eq!(
        parse(format!("{padded} ").as_bytes()).unwrap_err().code,
        Code::RequestTooLarge
    );
}

#[test]
fn only_plain_json_is_taken() {
    for good in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
    ] {
        assert!(check_media_type(Some(good), None).is_ok(), "{good}");
    }
    for bad in [
        None,
        Some("text/plain"),
        Some("application/json; charset=latin1"),
        Some("application/jsonp"),
    ] {
        assert!(check_media_type(bad, None).is_err(), "{bad:?}");
    }
    assert!(check_media_type(Some("application/json"), Some("gzip")).is_err());
}

proptest! {
    #[test]
    fn no_refusal_repeats_what_was_sent(marker in "[a-z]{12}", place in 0usize..7) {
        let mut body = good();
        let marker = format!("zq{marker}");
        match place {
            0 => body["userId"] = json!(marker),
            1 => body["deviceId"] = json!(marker),
            2 => body["timestamp"] = json!(marker),
            3 => body[&marker] = json!(1),
            4 => body["attestation"] = json!({ &marker: marker }),
            5 => body["signature"] = json!(marker),
            _ => body["payload"] = json!([marker]),
        }
        let refusal = parse_value(&body).unwrap_err();
        let problem = serde_json::to_string(&refusal.problem("request-1", None)).unwrap();
        prop_assert!(!problem.contains(&marker), "{}", problem);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }
}
