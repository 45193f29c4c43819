//! What a text becomes on its way through decoders: each reading is looked at.

/// How often a text is decoded. Whoever decodes more often than this has a problem of their own.
const ROUNDS: usize = 5;

/// The different readings of a text that came percent-encoded or may be decoded again: as it is, and after each
/// round of decoding. `plus` stands for a space in queries.
pub(super) fn readings(raw: &str, plus: bool) -> Vec<String> {
    let first = if plus && raw.contains('+') {
        raw.replace('+', " ")
    } else {
        raw.to_owned()
    };
    let mut readings = vec![fold(&first)];
    let mut current = first;
    for _ in 0..ROUNDS {
        let Some(next) = percent(&current) else { break };
        readings.push(fold(&next));
        current = next;
    }
    readings
}

/// One round of percent-decoding; nothing when there is nothing to decode. Bytes that are not UTF-8 become what a
/// sloppy decoder makes of them: an overlong form its character, anything else the replacement character.
fn percent(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut changed = false;
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            if let Some((high, low, after)) = pair(after) {
                bytes.push(high << 4 | low);
                rest = after;
                changed = true;
                continue;
            }
            if let Some((unit, after)) = wide(after) {
                let mut buffer = [0; 4];
                bytes.extend_from_slice(unit.encode_utf8(&mut buffer).as_bytes());
                rest = after;
                changed = true;
                continue;
            }
        }
        bytes.push(*first);
        rest = after;
    }
    changed.then(|| sloppy(&bytes))
}

fn nibble(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

fn pair(bytes: &[u8]) -> Option<(u8, u8, &[u8])> {
    let (high, rest) = bytes.split_first()?;
    let (low, rest) = rest.split_first()?;
    Some((nibble(*high)?, nibble(*low)?, rest))
}

/// `%uXXXX`, as some servers still read it.
fn wide(bytes: &[u8]) -> Option<(char, &[u8])> {
    let rest = bytes.strip_prefix(b"u").or(bytes.strip_prefix(b"U"))?;
    let digits = rest.get(..4)?;
    let mut value = 0;
    for digit in digits {
        value = value << 4 | u32::from(nibble(*digit)?);
    }
    Some((char::from_u32(value)?, rest.get(4..)?))
}

fn sloppy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(good) => {
                text.push_str(good);
                return text;
            }
            Err(error) => {
                let (good, bad) = rest.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(good));
                match bad {
                    [lead @ (0xC0 | 0xC1), low, after @ ..] => {
                        text.push(char::from((lead & 1) << 6 | (low & 0x3F)));
                        rest = after;
                    }
                    [_, after @ ..] => {
                        text.push(char::REPLACEMENT_CHARACTER);
                        rest = after;
                    }
                    [] => return text,
                }
            }
        }
    }
}

/// Lower case, and characters that some decoder takes for an ASCII one as that one.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().filter_map(one).collect::<String>()
}

fn one(c: char) -> Option<char> {
    Some(match c {
        '\u{FF01}'..='\u{FF5E}' => {
            let ascii = char::from_u32(u32::from(c).wrapping_sub(0xFEE0)).unwrap_or(c);
            ascii.to_ascii_lowercase()
        }
        '\u{3000}' | '\u{A0}' => ' ',
        '\u{2215}' | '\u{2044}' => '/',
        '\u{2216}' => '\\',
        '\u{2024}' => '.',
        // Cut to their low byte they are a line break.
        '\u{560D}' => '\r',
        '\u{560A}' => '\n',
        '\u{200B}'..='\u{200D}' | '\u{FEFF}' | '\u{AD}' => return None,
        _ => c.to_ascii_lowercase(),
    })
}

/// Named references that matter to a reader of markup.
const NAMED: [(&str, char); 14] = [
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("amp", '&'),
    ("colon", ':'),
    ("lpar", '('),
    ("rpar", ')'),
    ("tab", '\t'),
    ("newline", '\n'),
    ("sol", '/'),
    ("equals", '='),
    ("grave", '`'),
    ("nbsp", ' '),
];

/// HTML's character references, and the escapes of JavaScript's strings; nothing when there are none. The text is in
/// lower case.
pub(super) fn references(text: &str) -> Option<String> {
    if !text.contains(['&', '\\']) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let found = match c {
            '&' => reference(after),
            '\\' => escape(after),
            _ => None,
        };
        if let Some((decoded, after)) = found {
            out.extend(one(decoded));
            rest = after;
            changed = true;
        } else {
            out.push(c);
            rest = after;
        }
    }
    changed.then_some(out)
}

fn reference(after: &str) -> Option<(char, &str)> {
    if let Some(number) = after.strip_prefix('#') {
        let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |n| (n, 16));
        let length = digits
            .bytes()
            .take(8)
            .take_while(|b| char::from(*b).is_digit(radix))
            .count();
        let value = u32::from_str_radix(digits.get(..length)?, radix).ok()?;
        let rest = digits.get(length..)?;
        return Some((
            char::from_u32(value)?,
            rest.strip_prefix(';').unwrap_or(rest),
        ));
    }
    NAMED.iter().find_map(|(name, c)| {
        let rest = after.strip_prefix(name)?;
        Some((*c, rest.strip_prefix(';')?))
    })
}

fn escape(after: &str) -> Option<(char, &str)> {
    let (digits, length) = match after.strip_prefix('u') {
        Some(braced) if braced.starts_with('{') => {
            let (digits, rest) = braced.get(1..)?.split_once('}')?;
            let value = u32::from_str_radix(digits, 16).ok()?;
            return Some((char::from_u32(value)?, rest));
        }
        Some(digits) => (digits, 4),
        None => (after.strip_prefix('x')?, 2),
    };
    let value = u32::from_str_radix(digits.get(..length)?, 16).ok()?;
    Some((char::from_u32(value)?, digits.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn last(text: &str) -> String {
        readings(text, false).pop().unwrap()
    }

    #[test]
    fn what_is_hidden_by_an_encoding_is_read() {
        for hidden in [
            "%2e%2e/",
            "%252e%252e%252f",
            "%25252e%25252e/",
            "%c0%ae%c0%ae%c0%af",
            "%uff0e%uff0e/",
            "\u{ff0e}\u{ff0e}\u{ff0f}",
            "..\u{2215}",
            "\u{200b}.%2e/",
        ] {
            assert_eq!(last(hidden), "../", "{hidden}");
        }
        assert_eq!(
            references("&lt;&#115;&#x63;\\u0072\\x69pt&gt;").unwrap(),
            "<script>"
        );
        assert_eq!(references("a & b; c&d \\n"), None);
        assert_eq!(readings("a+b%2B", true), ["a b%2b", "a b+"]);
        assert_eq!(readings("100%", false), ["100%"]);
    }

    proptest! {
        #[test]
        fn no_text_stops_the_decoders(text in "(?s).{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            readings(&text, true);
            references(&text);
            let encoded = hex::encode(&bytes).as_bytes().chunks(2).fold(String::new(), |mut text, pair| {
                text.push('%');
                text.extend(pair.iter().copied().map(char::from));
                text
            });
            readings(&encoded, false);
            sloppy(&bytes);
        }
    }
}
