//! Tags in a text, as a browser that forgives everything finds them.

/// One opening tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    /// Names and values, quotes taken off.
    pub(super) attributes: Vec<(&'a str, &'a str)>,
    /// What follows the tag, up to the end of the text.
    pub(super) after: &'a str,
}

/// How much is read again, in lengths of the text: a tag may begin inside of another.
const PASSES: usize = 8;

/// The tags of a text in lower case. A tag that never ends counts: the page around it ends it.
pub(super) fn tags(text: &str) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    let mut rest = text;
    let mut left = text.len().saturating_mul(PASSES);
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        let inside = rest.trim_start_matches(['\0']);
        if inside.starts_with(|c: char| c.is_ascii_alphabetic()) {
            // The next is not looked for behind the whole tag: it may be in what looks like a value.
            let tag = tag(inside);
            let read = inside.len() - tag.after.len();
            tags.push(tag);
            let Some(less) = left.checked_sub(read) else {
                break;
            };
            left = less;
        }
    }
    tags
}

fn tag(text: &str) -> Tag<'_> {
    let ends_name = |c: char| c.is_whitespace() || matches!(c, '>' | '/' | '<' | '\0');
    let (name, mut rest) = split(text, ends_name);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '\0'));
        match rest.chars().next() {
            Some('>') => {
                rest = rest.get(1..).unwrap_or_default();
                break;
            }
            None | Some('<') => break,
            Some(_) => {}
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/');
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let (tail, after) = split(rest.get(first..).unwrap_or_default(), ends);
        let name = rest.get(..first + tail.len()).unwrap_or_default();
        rest = after;
        let spaced = rest.trim_start();
        let value;
        (value, rest) = match spaced.strip_prefix('=') {
            Some(right) => attribute_value(right.trim_start()),
            None => ("", rest),
        };
        attributes.push((name, value));
    }
    Tag {
        name,
        attributes,
        after: rest,
    }
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\'', '`'] {
        if let Some(inside) = text.strip_prefix(quote) {
            return inside.find(quote).map_or((inside, ""), |end| {
                (cut(inside, 0, end), tail(inside, end + 1))
            });
        }
    }
    split(text, |c| c.is_whitespace() || c == '>')
}

fn split(text: &str, at: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(at).unwrap_or(text.len());
    (cut(text, 0, end), tail(text, end))
}

fn cut(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

fn tail(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_is_found_however_it_is_written() {
        for text in [
            "<img src=x onerror=alert(1)>",
            "<img/onerror=alert(1)>",
            "<img src=\"x\" \nonerror\n=\nalert(1)>",
            "a < b <img src='>' onerror=alert(1)",
            "<<img onerror=alert(1)//<",
        ] {
            let found = tags(text);
            let attributes: Vec<_> = found.iter().flat_map(|tag| &tag.attributes).collect();
            assert!(
                attributes.iter().any(|(name, _)| *name == "onerror"),
                "{text}: {found:?}"
            );
        }
        assert_eq!(tags("a < b, <3 and </b> <"), []);
    }

    proptest! {
        #[test]
        fn no_text_stops_the_reader(text in "(?s)[<>/='\" a-c\u{e9}]{0,200}") {
            tags(&text);
        }
    }
}
