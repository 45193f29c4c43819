//! The firewall: fourteen rules about a request, and where it comes from.
//!
//! A value is looked at as everybody who decodes it might read it ([`decode`]), by small readers that know the shape
//! of what they look for ([`sql`], [`html`] with [`xss`], [`command`], …), not by lists of words. Names and values of
//! the path, the query, some headers and the JSON body are read; what a site wrote about itself (`payload`, which
//! nobody here renders or pastes into anything) only for what breaks out of a text.

mod command;
mod decode;
mod heads;
mod html;
mod json;
mod ldap;
mod nosql;
mod program;
mod rule;
mod sql;
mod sql_tokens;
mod sql_words;
mod traversal;
mod xml;
mod xss;

pub use rule::{Action, Hit, Place, Rule, Shadow};

use crate::proxy::{Class, announces_too_much};
use heads::header;
use json::Text;

/// How much of one text is read. No text of ours may be longer, and the Worker behind refuses those that are.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// How often a payload may be JSON in a text of JSON.
const MAX_NESTED: u8 = 2;

/// Headers whose values are read.
const READ: [&str; 8] = [
    "user-agent",
    "x-key-id",
    "idempotency-key",
    "x-session-id",
    "x-request-id",
    "origin",
    "accept-language",
    "x-timestamp",
];

/// How strictly a text is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// A value of the request.
    Full,
    /// A text that a site wrote, and that nobody interprets.
    Opaque,
}

/// What is known of a request before its body is read.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The path as it was sent.
    pub path: &'a str,
    /// The query as it was sent, without its question mark.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a [(String, String)],
    /// What the route is about, where there is one.
    pub class: Option<Class>,
}

/// The rules that hold for the head of a request.
pub fn inspect_head(head: Head<'_>) -> Vec<Hit> {
    let mut hits = Hits::default();
    hits.note(
        heads::claims_another_origin(head.headers),
        Rule::RateLimitBypass,
        Place::Header,
    );
    // Machines ask for health and metrics; what they are called does not matter.
    let agent = header(head.headers, "user-agent").filter(|_| head.class != Some(Class::Ops));
    hits.note(
        agent.is_some_and(heads::is_scanner),
        Rule::SuspiciousUa,
        Place::Header,
    );
    hits.note(
        announces_too_much(header(head.headers, "content-length")),
        Rule::LargeBody,
        Place::Header,
    );
    hits.note(
        heads::is_smuggled(head.headers),
        Rule::ProtocolSmuggling,
        Place::Header,
    );
    hits.note(
        heads::uploads_program(head.path, head.headers, None),
        Rule::SuspiciousUpload,
        Place::Header,
    );
    hits.target(head.path, head.query, Place::Path, Place::Query);
    for (name, value) in head.headers {
        if READ.iter().any(|read| name.eq_ignore_ascii_case(read)) {
            let broken = heads::has_line_break(value);
            hits.note(broken, Rule::HeaderInjection, Place::Header);
            hits.value(value, false, Place::Header, Care::Full);
        } else if name.eq_ignore_ascii_case("referer") {
            let (path, query) = split_address(value);
            hits.target(path, query, Place::Header, Place::Header);
            hits.value(query, true, Place::Header, Care::Full);
        }
    }
    hits.found
}

/// The rules that hold for a body. `json`: the route takes JSON, and the head says that this is.
pub fn inspect_body(head: Head<'_>, body: &[u8], json: bool) -> Vec<Hit> {
    let mut hits = Hits::default();
    let upload = heads::uploads_program(head.path, head.headers, Some(body));
    hits.note(upload, Rule::SuspiciousUpload, Place::Body);
    if json {
        let read = json::walk(body, &mut |kind, text| match kind {
            Text::Name => {
                let operator = nosql::is_operator(&text.to_ascii_lowercase());
                hits.note(operator, Rule::NosqlInjection, Place::Body);
                hits.value(text, false, Place::Body, Care::Full);
            }
            Text::Value => hits.value(text, false, Place::Body, Care::Full),
            Text::Opaque => hits.opaque(text, MAX_NESTED),
        });
        hits.note(read.is_err(), Rule::MalformedJson, Place::Body);
    }
    hits.found
}

/// The path and the query of an address.
fn split_address(address: &str) -> (&str, &str) {
    let local = address.split_once("://").map_or(address, |(_, rest)| {
        rest.find(['/', '?'])
            .and_then(|at| rest.get(at..))
            .unwrap_or_default()
    });
    local.split_once('?').unwrap_or((local, ""))
}

#[derive(Default)]
struct Hits {
    found: Vec<Hit>,
}

impl Hits {
    fn note(&mut self, holds: bool, rule: Rule, place: Place) {
        let hit = Hit { rule, place };
        if holds && !self.found.contains(&hit) {
            self.found.push(hit);
        }
    }

    fn target(&mut self, path: &str, query: &str, in_path: Place, in_query: Place) {
        for reading in decode::readings(path, false) {
            let climbs = traversal::is_attack_path(&reading);
            self.note(climbs, Rule::PathTraversal, in_path);
            self.note(heads::splits_head(&reading), Rule::HeaderInjection, in_path);
        }
        for segment in path.split('/') {
            self.value(segment, false, in_path, Care::Full);
        }
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            for reading in decode::readings(name, true) {
                let operator = nosql::is_parameter(&reading);
                self.note(operator, Rule::NosqlInjection, in_query);
            }
            for text in [name, value] {
                for reading in decode::readings(text, true) {
                    self.note(
                        heads::splits_head(&reading),
                        Rule::HeaderInjection,
                        in_query,
                    );
                }
                self.value(text, true, in_query, Care::Full);
            }
        }
    }

    /// A payload: a text, which may be JSON again.
    fn opaque(&mut self, text: &str, nested: u8) {
        if nested > 0 && text.trim_start().starts_with(['{', '[']) {
            let read = json::walk(text.as_bytes(), &mut |kind, text| match kind {
                Text::Name => {
                    let operator = nosql::is_operator(&text.to_ascii_lowercase());
                    self.note(operator, Rule::NosqlInjection, Place::Payload);
                }
                Text::Value | Text::Opaque => self.opaque(text, nested - 1),
            });
            if read.is_ok() {
                return;
            }
        }
        self.value(text, false, Place::Payload, Care::Opaque);
    }

    fn value(&mut self, text: &str, plus: bool, place: Place, care: Care) {
        if is_plain(text) {
            return;
        }
        let text = beginning(text);
        for reading in decode::readings(text, plus) {
            self.reading(&reading, place, care);
            let once = decode::references(&reading);
            let twice = once.as_deref().and_then(decode::references);
            for decoded in once.iter().chain(&twice) {
                self.note(xss::is_attack(decoded), Rule::XssAttempt, place);
            }
        }
    }

    fn reading(&mut self, text: &str, place: Place, care: Care) {
        let full = care == Care::Full;
        self.note(sql::is_attack(text, care), Rule::SqlInjection, place);
        self.note(xss::is_attack(text), Rule::XssAttempt, place);
        self.note(traversal::is_attack(text, care), Rule::PathTraversal, place);
        self.note(
            command::is_attack(text, care),
            Rule::CommandInjection,
            place,
        );
        self.note(xml::is_attack(text), Rule::XmlInjection, place);
        self.note(full && ldap::is_attack(text), Rule::LdapInjection, place);
        self.note(full && nosql::is_attack(text), Rule::NosqlInjection, place);
    }
}

/// Letters, digits, dashes and the like: an id, a name, a number.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn beginning(text: &str) -> &str {
    if text.len() <= MAX_TEXT_BYTES {
        return text;
    }
    let mut end = MAX_TEXT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn everything(text: &str) {
        let headers = [("user-agent", text), ("referer", text), ("x-key-id", text)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let head = Head {
            path: text,
            query: text,
            headers: &headers,
            class: None,
        };
        inspect_head(head);
        for body in [
            text.to_owned(),
            serde_json::json!({ text: text, "payload": text, "x": [text] }).to_string(),
        ] {
            inspect_body(head, body.as_bytes(), true);
        }
    }

    #[test]
    fn links_that_do_nothing_are_no_script() {
        let head = Head {
            path: "/api/v1/vau",
            query: "",
            headers: &[],
            class: Some(Class::Vau),
        };
        for link in [
            "javascript:void(0)",
            "javascript:;",
            "<a href='javascript:void(0);'>x</a>",
        ] {
            let body = serde_json::json!({ "payload": link, "x": link }).to_string();
            assert_eq!(inspect_body(head, body.as_bytes(), true), [], "{link}");
        }
    }

    proptest! {
        #[test]
        fn no_text_stops_the_rules(text in "(?s).{0,300}") {
            everything(&text);
        }

        #[test]
        fn no_text_of_what_the_rules_look_for_stops_them(
            parts in prop::collection::vec(prop::sample::select(vec![
                "'", "\"", "`", "<", ">", "/", "*", "--", "#", ";", "|", "&", "$(", "${", "{{", "}", "(", ")", "..", "\\",
                "%27", "%2525", "%u0027", "%c0%ae", "&#x27;", "&lt", "\\u003c", "or 1=1", "union select", "script", "onload=",
                "javascript:", "cat /etc/passwd", "<!doctype", "<!entity ", "]]>", "$ne", "*)(", "uid=", "\0", "\r\n", "\u{e9}",
                "\u{ff1c}", " ", "=", ":", ",", "1", "a", "{\"", "\":", "[",
            ]), 0..60),
        ) {
            everything(&parts.concat());
        }
    }

    #[test]
    fn a_text_made_to_be_slow_is_not() {
        for part in [
            "'",
            "''\"",
            "<a ",
            "<a b=",
            "<a b='",
            "on",
            "'on",
            ";id",
            ";sh",
            "`sh ",
            "$(",
            "${lower:",
            "(&",
            "*)(",
            "))((",
            "/*",
            "--\n",
            "#\n'",
            "1 or ",
            "(select ",
            "union ",
            "../",
            "%25",
            "&#",
            "{\"",
            "$ne",
            "<!doctype ",
            "]]><![cdata[",
            "javascript:",
            "x=1;",
            "1;1",
            "\"-",
            "{{",
        ] {
            let text = part.repeat(MAX_TEXT_BYTES / part.len());
            everything(&text);
        }
    }
}
