//! Input that nobody should send.

/// Bodies that are no JSON, or no JSON that anyone should take, with a name each.
pub fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str| [open.repeat(10_000), close.repeat(10_000)].concat();
    vec![
        ("empty", Vec::new()),
        ("half an object", b"{\"a\":".to_vec()),
        ("no quotes", b"{a:1}".to_vec()),
        ("a comma too many", b"{\"a\":1,}".to_vec()),
        ("two values", b"{}{}".to_vec()),
        ("arrays 10,000 deep", deep("[", "]").into_bytes()),
        ("objects 10,000 deep", deep("{\"a\":", "}").into_bytes()),
        ("10,000 open arrays", "[".repeat(10_000).into_bytes()),
        ("NaN", b"{\"a\":NaN}".to_vec()),
        ("Infinity", b"{\"a\":-Infinity}".to_vec()),
        ("10^400", b"{\"a\":1e400}".to_vec()),
        (
            "400 digits",
            format!("{{\"a\":{}}}", "9".repeat(400)).into_bytes(),
        ),
        ("invalid UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec()),
        ("an overlong slash", b"{\"a\":\"\xc0\xaf\"}".to_vec()),
        ("a lone surrogate", b"{\"a\":\"\\ud800\"}".to_vec()),
        (
            "surrogates in the wrong order",
            b"{\"a\":\"\\udc00\\ud800\"}".to_vec(),
        ),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("a NUL", b"{\"a\":\"\0\"}".to_vec()),
        ("a duplicate key", b"{\"a\":1,\"a\":2}".to_vec()),
        ("null", b"null".to_vec()),
        ("a number", b"7".to_vec()),
        ("an array", b"[]".to_vec()),
        ("an unknown member", b"{\"noSuchMember\":1}".to_vec()),
    ]
}

/// `good`, a JSON object, spoilt: each is to be refused although its members are right.
pub(super) fn nearly(good: &str) -> Vec<(&'static str, Vec<u8>)> {
    let inner = good
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
        return Vec::new();
    };
    vec![
        (
            "every member twice",
            format!("{{{inner},{inner}}}").into_bytes(),
        ),
        (
            "a mark before a good body",
            format!("\u{feff}{good}").into_bytes(),
        ),
        ("more after a good body", format!("{good} x").into_bytes()),
        ("a good body in an array", format!("[{good}]").into_bytes()),
    ]
}

/// Texts that mean something to SQL, to a shell, to a template, to a terminal or to a path.
pub const fn injections() -> &'static [&'static str] {
    &[
        "'",
        "\"",
        "\\",
        ";",
        "--",
        "' OR '1'='1",
        "'; DROP TABLE users; --",
        "\"; DELETE FROM sessions; --",
        "1) UNION SELECT null,null--",
        "$1",
        "%s%n",
        "%' AND pg_sleep(5)--",
        "/* */",
        "E'\\x41'",
        "\u{0}",
        "a\u{0}b",
        "\u{202e}\u{feff}",
        "\u{1f4a3}",
        "../../../../etc/passwd",
        "<script>alert(1)</script>",
        "{{7*7}}${7*7}",
        "\r\nX-Injected: 1",
        "",
        " ",
    ]
}
