//! Error codes.

use conformance::reference;
use contracts::Code;
use serde_json::{Map, Value};

const PAGE: &str = "schemas/codes.json";

fn codes() -> Value {
    let pairs = Code::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), code.status().into()));
    Value::Object(pairs.collect::<Map<_, _>>())
}

#[test]
fn the_published_list_of_codes_is_the_codes() {
    reference::assert_current(PAGE, &codes());
}

#[test]
fn no_code_that_clients_match_on_is_gone_or_has_another_status() {
    let now = codes();
    let frozen = reference::baseline(PAGE, &now);
    for (code, status) in frozen.as_object().into_iter().flatten() {
        assert_eq!(now.get(code), Some(status), "{code}");
    }
    assert!(frozen.as_object().is_some_and(|codes| codes.len() > 30));
}
