//! XML injection: entities and includes that make a parser read or fetch something.

/// Whether a value in lower case declares, includes or splices.
pub(super) fn is_attack(text: &str) -> bool {
    if !text.contains(['<', '&', ']', ':']) {
        return false;
    }
    let declares = ["<!entity", "<!notation", "<!attlist", "<!element"]
        .iter()
        .any(|declaration| begins(text, declaration));
    let includes = ["<xi:include", "<xsl:", "<?xml-stylesheet"]
        .iter()
        .any(|tag| text.contains(tag));
    declares || includes || has_doctype(text) || splices(text) || is_wrapper(text)
}

fn begins(text: &str, declaration: &str) -> bool {
    text.split(declaration)
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '%'))
}

/// A document type with a subset of its own or from elsewhere. That of an HTML page is none.
fn has_doctype(text: &str) -> bool {
    text.split("<!doctype").skip(1).any(|rest| {
        let declaration = rest.split('>').next().unwrap_or_default().trim_start();
        let mut words = declaration.split_whitespace();
        let html = words.next() == Some("html");
        let external = words
            .next()
            .is_some_and(|word| matches!(word, "system" | "public"));
        declaration.contains('[') || (external && !html)
    })
}

/// Sections that hide a bracket, or end the one that the value was put into.
fn splices(text: &str) -> bool {
    text.contains("<![cdata[<]]>")
        || text.split_once("]]>").is_some_and(|(before, after)| {
            !before.contains("<![cdata[") && after.contains("<![cdata[")
        })
}

/// Addresses that only a server's parser opens.
fn is_wrapper(text: &str) -> bool {
    let at = text.trim_start_matches(['"', '\'', ' ']);
    [
        "php://filter",
        "php://input",
        "expect://",
        "jar:http",
        "netdoc:",
        "phar://",
        "file:///",
    ]
    .iter()
    .any(|scheme| {
        at.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(' '))
    })
}
