//! Which headers a request keeps on its way.
//!
//! Only those that somebody behind the proxy reads are passed on, so a header that nobody thought of (hop by hop,
//! forged in Cloudflare's or a proxy's name, spelled with an underscore) ends here. What can make two parsers see two
//! requests in one is refused.

use crate::Refusal;
use contracts::Code;

/// Read by the Worker behind. `cf-connecting-ip` is Cloudflare's: what a caller sends under that name never
/// arrives, Cloudflare writes its own.
const PASSED_ON: [&str; 16] = [
    "accept",
    "accept-language",
    "authorization",
    "cf-connecting-ip",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "if-modified-since",
    "if-none-match",
    "origin",
    "traceparent",
    "user-agent",
    "x-hmac-signature",
    "x-key-id",
    "x-session-id",
    "x-timestamp",
];

/// Bounds of a head that is read at all.
const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// The headers that are passed on, names in lower case. The request id is added by the caller.
pub type Forwarded = Vec<(String, String)>;

/// Takes what may pass of a request's headers, names in any case.
pub fn forward<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Forwarded, Refusal> {
    let (mut count, mut bytes) = (0_usize, 0_usize);
    let (mut length, mut transfer) = (None, None);
    let mut kept = Forwarded::new();
    for (name, value) in headers {
        count += 1;
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if count > MAX_HEADERS || bytes > MAX_HEAD_BYTES {
            return Err(malformed("The request's head is too long."));
        }
        if value.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(malformed("A header has a line break in it."));
        }
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "content-length" => length = Some(value.trim()),
            "transfer-encoding" => transfer = Some(value.trim()),
            _ => {}
        }
        if !PASSED_ON.contains(&name.as_str()) {
            continue;
        }
        if kept.iter().any(|(known, _)| *known == name) {
            return Err(malformed("A header is there twice."));
        }
        kept.push((name, value.to_owned()));
    }
    if !is_framing_clear(length, transfer) {
        return Err(malformed("Where the body ends is not clear."));
    }
    Ok(kept)
}

/// One way to tell where the body ends, and one that has a single reading.
pub(crate) fn is_framing_clear(length: Option<&str>, transfer: Option<&str>) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match (length, transfer) {
        (None, None) => true,
        (Some(length), None) => digits(length),
        (None, Some(transfer)) => transfer.eq_ignore_ascii_case("chunked"),
        (Some(_), Some(_)) => false,
    }
}

const fn malformed(detail: &'static str) -> Refusal {
    Refusal::new(Code::RequestMalformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_caller_cannot_speak_in_the_name_of_cloudflare_or_a_proxy() {
        let sent = [
            ("Authorization", "Bearer x"),
            ("CF-Connecting-IP", "192.0.2.1"),
            ("CF-IPCountry", "DE"),
            ("CF-Worker", "evil.example"),
            ("Cf_Connecting_Ip", "192.0.2.2"),
            ("X-Forwarded-For", "192.0.2.3"),
            ("X-Forwarded-Host", "evil.example"),
            ("X-Real-IP", "192.0.2.4"),
            ("True-Client-IP", "192.0.2.5"),
            ("Forwarded", "for=192.0.2.6"),
            ("Via", "1.1 evil"),
            ("Connection", "authorization"),
            ("Keep-Alive", "timeout=5"),
            ("Upgrade", "h2c"),
            ("TE", "trailers"),
            ("Proxy-Authorization", "Basic x"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Original-URL", "/metrics"),
            ("Host", "evil.example"),
            ("Cookie", "a=b"),
        ];
        let kept = forward(sent).unwrap();
        let expected = [
            ("authorization", "Bearer x"),
            ("cf-connecting-ip", "192.0.2.1"),
        ];
        let kept: Vec<(&str, &str)> = kept.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_body_with_two_ends_is_refused() {
        for (bad, why) in [
            (
                vec![("content-length", "5"), ("transfer-encoding", "chunked")],
                "both",
            ),
            (vec![("transfer-encoding", "chunked, identity")], "a list"),
            (vec![("transfer-encoding", "xchunked")], "unknown"),
            (vec![("content-length", "5, 6")], "two lengths"),
            (vec![("content-length", "+5")], "a sign"),
            (vec![("content-length", "0x5")], "hexadecimal"),
            (vec![("content-length", "")], "nothing"),
            (
                vec![("content-type", "a/b"), ("Content-Type", "c/d")],
                "twice",
            ),
            (vec![("accept", "a\r\nx: y")], "a line break"),
        ] {
            let refusal = forward(bad).unwrap_err();
            assert_eq!(refusal.code, Code::RequestMalformed, "{why}");
        }
        forward([("content-length", "5")]).unwrap();
        forward([("Transfer-Encoding", "Chunked")]).unwrap();
    }

    #[test]
    fn a_head_without_end_is_not_read() {
        let many = vec![("a", "b"); MAX_HEADERS + 1];
        assert!(forward(many).is_err());
        let long = "x".repeat(MAX_HEAD_BYTES);
        assert!(forward([("accept", long.as_str())]).is_err());
    }

    proptest! {
        #[test]
        fn only_listed_names_ever_pass(
            headers in prop::collection::vec(("[A-Za-z_-]{1,20}", "[ -~]{0,20}"), 0..20),
        ) {
            let pairs = headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
            if let Ok(kept) = forward(pairs) {
                for (name, _) in kept {
                    prop_assert!(PASSED_ON.contains(&name.as_str()));
                }
            }
        }
    }
}
