//! What may be logged.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};

/// The only headers that may appear in a log. Everything else (credentials, cookies, signatures,
/// addresses, user agents) is left out, including headers nobody has thought of yet.
const LOGGABLE_HEADERS: [HeaderName; 3] = [ACCEPT, CONTENT_LENGTH, CONTENT_TYPE];

/// Fields that the log writer blanks wherever they come from: a second line of defence.
const SECRET_FIELDS: [&str; 12] = [
    "access_token",
    "authorization",
    "body",
    "cookie",
    "key_encryption_key",
    "message_text",
    "password",
    "payload",
    "private_key",
    "secret",
    "signature",
    "token",
];

/// The headers of `headers` that may be logged, as `name: value` pairs.
pub fn loggable(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    LOGGABLE_HEADERS
        .iter()
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            let name = match name {
                n if n == ACCEPT => "accept",
                n if n == CONTENT_LENGTH => "content-length",
                _ => "content-type",
            };
            Some((name, value.chars().take(128).collect()))
        })
        .collect()
}

/// Whether a log field of this name is blanked.
pub fn is_secret_field(name: &str) -> bool {
    SECRET_FIELDS
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_nobody_thought_of_is_not_logged() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "cookie",
            "x-hmac-signature",
            "x-forwarded-for",
            "x-new-secret",
        ] {
            headers.insert(name, "canary".parse().unwrap());
        }
        headers.insert("content-type", "application/json".parse().unwrap());
        assert_eq!(
            loggable(&headers),
            vec![("content-type", "application/json".to_owned())]
        );
    }
}
