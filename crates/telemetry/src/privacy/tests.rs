//! What private values cannot do, seen through what the compiler knows of them.

use super::{ExposeSecret as _, Pii, Secret};
use std::marker::PhantomData;
use std::net::IpAddr;

/// Asks the compiler what `T` can do: an inherent constant, where its bound holds, hides the trait's.
struct Can<T>(PhantomData<T>);

trait Cannot {
    const PRINT: bool = false;
    const SERIALIZE: bool = false;
}

impl<T> Cannot for Can<T> {}

impl<T: std::fmt::Display> Can<T> {
    const PRINT: bool = true;
}

impl<T: serde::Serialize> Can<T> {
    const SERIALIZE: bool = true;
}

// Neither kind can be printed or serialised, whatever is inside: if one could, this would not compile.
const _: () = {
    // The question can be answered with yes, also for what is inside.
    assert!(Can::<String>::PRINT && Can::<String>::SERIALIZE);
    assert!(Can::<IpAddr>::PRINT && Can::<IpAddr>::SERIALIZE);
    assert!(!Can::<Secret<String>>::PRINT && !Can::<Secret<String>>::SERIALIZE);
    assert!(!Can::<Secret<Vec<u8>>>::PRINT && !Can::<Secret<Vec<u8>>>::SERIALIZE);
    assert!(!Can::<Pii<String>>::PRINT && !Can::<Pii<String>>::SERIALIZE);
    assert!(!Can::<Pii<IpAddr>>::PRINT && !Can::<Pii<IpAddr>>::SERIALIZE);
    // Nor does a container open them.
    assert!(!Can::<Option<Secret<String>>>::SERIALIZE && !Can::<Vec<Pii<IpAddr>>>::SERIALIZE);
};

#[derive(Debug)]
#[allow(dead_code, reason = "read by Debug")]
struct Holder {
    secret: Secret<String>,
    many: Vec<Pii<String>>,
    nested: Option<Secret<[u8; 6]>>,
}

#[test]
fn debug_shows_neither_in_any_form_or_depth() {
    let holder = Holder {
        secret: "canary".to_owned().into(),
        many: vec!["canary".to_owned().into()],
        nested: Some(Secret::new(*b"canary")),
    };
    for text in [format!("{holder:?}"), format!("{holder:#?}")] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("99, 97, 110"), "{text}");
        assert!(text.contains("[REDACTED]") && text.contains("[PII]"));
    }
    assert_eq!(holder.secret.expose_secret(), "canary");
    assert_eq!(holder.many[0].expose(), "canary");
}

#[test]
fn a_secret_of_the_wrong_kind_is_refused_without_repeating_it() {
    for wrong in [r#"["canary"]"#, r#"{"canary":1}"#, "1.25", "null"] {
        let error = serde_json::from_str::<Secret<String>>(wrong).unwrap_err();
        let text = error.to_string();
        assert!(!text.contains("canary") && !text.contains("1.25"), "{text}");
    }
    let digits: Secret<String> = serde_json::from_str("123").unwrap();
    assert_eq!(digits.expose_secret(), "123");
}

/// A value that tells whether it was wiped.
struct Witness(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl zeroize::Zeroize for Witness {
    fn zeroize(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

#[test]
fn a_secret_is_wiped_when_it_is_dropped() {
    let wiped = std::sync::Arc::default();
    drop(Secret::new(Witness(std::sync::Arc::clone(&wiped))));
    assert!(wiped.load(std::sync::atomic::Ordering::SeqCst));
}
