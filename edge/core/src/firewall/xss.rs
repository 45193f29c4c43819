//! Script injection: a value that would run, wherever a page put it.

use super::html::{Tag, tags};

/// Functions and objects that a probe or a theft uses.
const SINKS: [&str; 15] = [
    "alert",
    "prompt",
    "confirm",
    "eval",
    "fetch",
    "print",
    "settimeout",
    "setinterval",
    "import",
    "function",
    "atob",
    "constructor",
    "document",
    "window",
    "string.fromcharcode",
];

/// Tags that bring something foreign in by the attribute.
const LOADERS: [(&str, &[&str]); 9] = [
    ("script", &["src", "href", "xlink:href"]),
    ("iframe", &["src", "srcdoc"]),
    ("frame", &["src"]),
    ("object", &["data"]),
    ("embed", &["src"]),
    ("base", &["href"]),
    ("link", &["href"]),
    ("meta", &["http-equiv"]),
    ("portal", &["src"]),
];

/// No event has a longer name.
const EVENT_NAME: usize = 40;
/// How much of an event's code is looked at.
const EVENT_CODE: usize = 200;
/// How much of a script's text is looked at.
const SCRIPT: usize = 4096;

/// Whether a value in lower case would run as a script.
pub(super) fn is_attack(text: &str) -> bool {
    let tagged = text.contains('<') && tags(text).iter().any(is_active);
    tagged || is_address(text) || breaks_out_of_attribute(text) || breaks_out_of_script(text)
}

fn is_active(tag: &Tag<'_>) -> bool {
    let loads = LOADERS.iter().any(|(name, attributes)| {
        *name == tag.name
            && tag
                .attributes
                .iter()
                .any(|(attribute, value)| attributes.contains(attribute) && !value.is_empty())
    });
    let runs = tag.attributes.iter().any(|(name, value)| {
        let event = is_event(name) && !value.is_empty();
        // Old readers end a value at the slash.
        let slashed = value.contains("/on") && has_event(value);
        event || slashed || is_script_address(value) || (*name == "style" && is_active_style(value))
    });
    let inside = match tag.name {
        "script" => is_code(before(tag.after, "</script")),
        "style" => is_active_style(before(tag.after, "</style")),
        _ => false,
    };
    loads || runs || inside
}

fn before<'a>(text: &'a str, end: &str) -> &'a str {
    let most = text
        .char_indices()
        .nth(SCRIPT)
        .map_or(text.len(), |(at, _)| at);
    let text = text.get(..most).unwrap_or_default();
    text.split(end).next().unwrap_or_default()
}

fn is_event(attribute: &str) -> bool {
    attribute
        .strip_prefix("on")
        .is_some_and(|event| event.len() >= 3 && event.bytes().all(|b| b.is_ascii_alphabetic()))
}

fn is_active_style(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    text.contains("expression(") || text.contains("@import") || text.contains("url(javascript:")
}

/// A call without a space, as code has it and prose has not.
fn is_code(text: &str) -> bool {
    calls(text).any(|name| !name.is_empty())
}

/// The names before each opening bracket or backtick that touches a name.
fn calls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(['(', '`']).map(|(at, _)| {
        let head = text.get(..at).unwrap_or_default();
        let name = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.'));
        head.rsplit(name).next().unwrap_or_default()
    })
}

/// Whether something of [`SINKS`] is called or read.
fn uses_sink(text: &str) -> bool {
    calls(text).any(is_sink)
        || ["document.", "window.", "self[", "top[", "this["]
            .iter()
            .any(|object| text.contains(object))
}

fn is_sink(name: &str) -> bool {
    SINKS.iter().any(|sink| {
        name == *sink
            || name
                .strip_prefix(sink)
                .is_some_and(|rest| rest.starts_with('.'))
            || name
                .strip_suffix(sink)
                .is_some_and(|rest| rest.ends_with('.'))
    })
}

/// The whole value is an address that runs.
fn is_address(text: &str) -> bool {
    let trimmed = text.trim_start();
    let scheme = trimmed.get(..trimmed.len().min(40)).unwrap_or(trimmed);
    if !scheme.contains(':') {
        return false;
    }
    let squeezed: String = trimmed
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r' | '\0'))
        .collect();
    let runs = ["javascript:", "vbscript:"].iter().any(|scheme| {
        squeezed.match_indices(scheme).any(|(at, _)| {
            let before = squeezed.get(..at).unwrap_or_default();
            let first = before.is_empty() || before.ends_with(' ');
            let code = squeezed.get(at + scheme.len()..).unwrap_or_default();
            let code: String = code.chars().take(EVENT_CODE).collect();
            (first && is_address_code(&code)) || uses_sink(&code)
        })
    });
    runs || is_page(&squeezed)
}

/// What follows a script's scheme, unless it is what pages write for "do nothing".
fn is_address_code(code: &str) -> bool {
    let nothing = code.trim_end_matches([';', ' ']);
    let idle = matches!(nothing, "" | "void(0)" | "void 0" | "void(null)");
    !idle
        && (code.starts_with("//")
            || (!code.starts_with(' ') && (is_code(code) || uses_sink(code))))
}

fn is_page(address: &str) -> bool {
    [
        "data:text/html",
        "data:image/svg+xml",
        "data:application/xhtml",
    ]
    .iter()
    .any(|kind| {
        address
            .strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with([',', ';']))
    })
}

/// An attribute's value that runs.
fn is_script_address(value: &str) -> bool {
    if !value.contains(':') {
        return false;
    }
    let squeezed: String = value
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect();
    [
        "javascript:",
        "vbscript:",
        "livescript:",
        "0;url=javascript:",
    ]
    .iter()
    .any(|scheme| squeezed.strip_prefix(scheme).is_some_and(is_address_code))
        || squeezed.starts_with("data:text/html")
}

/// `" onfocus="alert(1)`: a quote, and behind it an attribute that is an event with code in it.
fn breaks_out_of_attribute(text: &str) -> bool {
    let Some(quote) = text.find(['"', '\'', '`']) else {
        return false;
    };
    has_event(text.get(quote..).unwrap_or_default())
}

/// An event with code, apart from what is before it.
fn has_event(rest: &str) -> bool {
    rest.match_indices("on").any(|(at, _)| {
        let before = rest.get(..at).unwrap_or_default().chars().next_back();
        let apart = before.is_some_and(|c| !c.is_alphanumeric());
        let name = rest.get(at..).unwrap_or_default();
        // Not to the end of a word without end, from each place in it.
        let end = name
            .bytes()
            .take(EVENT_NAME)
            .take_while(u8::is_ascii_alphabetic)
            .count();
        let (name, value) = (
            name.get(..end).unwrap_or_default(),
            name.get(end..).unwrap_or_default(),
        );
        let Some(code) = value.trim_start().strip_prefix('=') else {
            return false;
        };
        let code: String = code.chars().take(EVENT_CODE).collect();
        apart && is_event(name) && (is_code(&code) || uses_sink(&code))
    })
}

/// `';alert(1)//`, `"-alert(1)-"`, `${alert(1)}`, `{{constructor…}}`: out of a text of a script, or of a template.
fn breaks_out_of_script(text: &str) -> bool {
    let quoted = text.match_indices(['"', '\'', '`']).any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default().trim_start();
        rest.strip_prefix([';', '-', '+', '*', ',', ')', '}'])
            .is_some_and(|code| {
                starts_with_sink(code.trim_start_matches([';', ')', '}', ' ', '-', '+']))
            })
    });
    let template = ["${", "{{", "#{"].iter().any(|open| {
        text.split(open).skip(1).any(|inside| {
            let inside = inside.split('}').next().unwrap_or_default();
            starts_with_sink(inside.trim_start()) || inside.contains("constructor")
        })
    });
    quoted || template
}

fn starts_with_sink(code: &str) -> bool {
    let end = code
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.')))
        .unwrap_or(code.len());
    let (name, rest) = (
        code.get(..end).unwrap_or_default(),
        code.get(end..).unwrap_or_default(),
    );
    is_sink(name) && (rest.starts_with(['(', '`', '[', '=']) || name.contains('.'))
}
