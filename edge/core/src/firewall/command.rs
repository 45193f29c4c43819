//! Shell commands: a value that would start a program if it were pasted into a command line.

use super::Care;
use super::program::{Command, is_program, is_system_path};

/// How much before a separator is looked at.
const BEFORE: usize = 200;

/// Whether a value in lower case is a command.
pub(super) fn is_attack(text: &str, care: Care) -> bool {
    if looks_up(text) || is_shellshock(text) || is_code(text) {
        return true;
    }
    if !text.contains([';', '|', '&', '`', '$', '\n', '\r', '>', '{']) {
        return false;
    }
    let plain = unquoted(text);
    is_chained(&plain, care)
        || is_substituted(&plain, care)
        || (care == Care::Full && (is_redirected(&plain) || is_braced(&plain)))
}

/// `${jndi:…}` of Log4j, with its ways to write the word.
fn looks_up(text: &str) -> bool {
    if !text.contains("${") {
        return false;
    }
    // `${lower:j}` and `${::-j}` are the letter.
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let nested = rest
            .strip_prefix("${lower:")
            .or_else(|| rest.strip_prefix("${upper:"))
            .or_else(|| rest.strip_prefix("${::-"))
            .or_else(|| rest.strip_prefix("${env:x:-"));
        if let Some((letters, after)) = nested.and_then(|inner| inner.split_once('}'))
            && letters.len() <= 8
        {
            out.push_str(letters);
            rest = after;
            continue;
        }
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out.contains("${jndi:")
}

fn is_shellshock(text: &str) -> bool {
    let squeezed = text.trim_start();
    squeezed.strip_prefix("()").is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.starts_with('{') && rest.contains("};")
    })
}

/// Code of a server's language.
fn is_code(text: &str) -> bool {
    ["<?php", "<?=", "<%="].iter().any(|open| {
        text.split(open)
            .skip(1)
            .any(|code| code.contains(['(', '`']))
    })
}

/// Without what a shell takes away: quotes and backslashes within words, `$IFS`.
fn unquoted(text: &str) -> String {
    let spaced = text
        .replace("${ifs}", " ")
        .replace("$ifs$9", " ")
        .replace("$ifs", " ");
    let mut out = String::with_capacity(spaced.len());
    let mut chars = spaced.chars().peekable();
    while let Some(c) = chars.next() {
        let joins = matches!(c, '\\' | '\'' | '"')
            && out.ends_with(|last: char| last.is_ascii_alphanumeric())
            && chars.peek().is_some_and(char::is_ascii_alphanumeric);
        if !joins {
            out.push(c);
        }
    }
    out
}

/// A program after `;`, `|`, `&` or a line break.
fn is_chained(text: &str, care: Care) -> bool {
    text.match_indices([';', '|', '&', '\n', '\r'])
        .any(|(at, separator)| {
            let before = end_of(text.get(..at).unwrap_or_default());
            let after = text.get(at + separator.len()..).unwrap_or_default();
            if after.starts_with(separator) {
                return false;
            }
            let command = Command::read(after.trim_start_matches([' ', '\t', '&', '|', '"', '\'']));
            command.is_some_and(|command| match care {
                Care::Full => command.is_started(is_end_of_value(before)),
                Care::Opaque => command.does_harm() && is_end_of_value(before),
            })
        })
}

/// As much of what is before a separator as matters.
fn end_of(before: &str) -> &str {
    let start = before.char_indices().rev().nth(BEFORE);
    start
        .and_then(|(start, _)| before.get(start..))
        .unwrap_or(before)
}

/// Whether what is before a separator is a value by itself: nothing, an address, a file name, a quote.
fn is_end_of_value(before: &str) -> bool {
    let before = before.trim_end_matches([' ', ';', '|', '&', '\n', '\r']);
    let last = before.split_whitespace().next_back().unwrap_or_default();
    let whole = last.len() == before.trim_start().len();
    let named = last.contains('.') || last.bytes().all(|b| b.is_ascii_digit());
    let address = last.parse::<std::net::IpAddr>().is_ok();
    before.is_empty()
        || address
        || last.ends_with(['\'', '"', ')'])
        || (whole && (named || last.len() <= 3))
}

/// `$(…)` and backticks.
fn is_substituted(text: &str, care: Care) -> bool {
    let runs = |inside: &str, glued: bool| {
        Command::read(inside).is_some_and(|command| match care {
            Care::Full => command.is_started(glued),
            Care::Opaque => command.does_harm(),
        })
    };
    let dollar = text
        .split("$(")
        .skip(1)
        .any(|inside| runs(inside.split(')').next().unwrap_or_default(), true));
    // Between backticks prose has names of programs too, with a space before.
    let ticked = text.match_indices('`').any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let glued = !before.ends_with(char::is_whitespace);
        let inside = text.get(at + 1..).unwrap_or_default();
        let closed = inside.split_once('`').map(|(inside, _)| inside);
        !before.ends_with('`') && glued && closed.is_some_and(|inside| runs(inside, glued))
    });
    dollar || ticked
}

/// `> /etc/cron.d/x`
fn is_redirected(text: &str) -> bool {
    text.split('>')
        .skip(1)
        .any(|target| is_system_path(target.trim_start_matches(['>', ' ', '|'])))
}

/// `{cat,/etc/passwd}`
fn is_braced(text: &str) -> bool {
    text.split('{').skip(1).any(|inside| {
        let inside = inside.split('}').next().unwrap_or_default();
        inside.split_once(',').is_some_and(|(program, argument)| {
            is_program(program.trim()) && argument.contains(['/', '-', '.'])
        })
    })
}
