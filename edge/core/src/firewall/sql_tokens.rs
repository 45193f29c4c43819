//! A text read as the rest of an SQL statement.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    /// A quoted text that ends.
    Text,
    /// A quoted text that goes on to the end of the value: the statement's own quote closes it.
    OpenText,
    Word,
    /// `=`, `<`, `like`, `+` and the rest.
    Operator,
    /// `and`, `or`, `xor`, `||`, `&&`.
    Logic,
    Open,
    Close,
    Comma,
    End,
    /// A comment that swallows what follows in the statement, with the number of characters in it.
    Comment(usize),
    Other,
}

/// One token. `spaced`: there is space before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) spaced: bool,
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.text == word
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.contains(&self.text)
    }
}

/// Tokens that are looked at; no value of ours has as many.
const MAX_TOKENS: usize = 4096;

/// Splits a text in lower case.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut reader = Reader {
        text,
        at: 0,
        spaced: false,
        tokens: Vec::new(),
    };
    while reader.tokens.len() < MAX_TOKENS && reader.step() {}
    reader.tokens
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    spaced: bool,
    tokens: Vec<Token<'a>>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        let spaced = std::mem::take(&mut self.spaced);
        self.tokens.push(Token { kind, text, spaced });
        self.at += length;
    }

    fn space(&mut self, length: usize) {
        self.spaced = true;
        self.at += length;
    }

    /// Reads one token; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            return false;
        };
        let starts = |with: &str| rest.starts_with(with);
        match c {
            c if c.is_whitespace() || c == '\0' => self.space(c.len_utf8()),
            '/' if starts("/*") => self.block(rest),
            '*' if starts("*/") => self.space(2),
            '#' => self.line_comment(rest, 1),
            '-' if starts("--") => self.line_comment(rest, 2),
            '\'' | '"' | '`' => self.quoted(rest, c),
            '0'..='9' => self.number(rest),
            c if is_word(c) => self.word(rest),
            '|' if starts("||") => self.push(Kind::Logic, 2),
            '&' if starts("&&") => self.push(Kind::Logic, 2),
            '(' => self.push(Kind::Open, 1),
            ')' => self.push(Kind::Close, 1),
            ',' => self.push(Kind::Comma, 1),
            ';' => self.push(Kind::End, 1),
            '=' | '<' | '>' | '!' | '+' | '-' | '*' | '/' | '%' | '~' | '^' => {
                let length = rest
                    .bytes()
                    .take_while(|b| matches!(b, b'=' | b'<' | b'>' | b'!'))
                    .count();
                self.push(Kind::Operator, length.max(1));
            }
            c => self.push(Kind::Other, c.len_utf8()),
        }
        true
    }

    /// A comment in the middle is a space; the one that `MySQL` runs is not there at all.
    fn block(&mut self, rest: &str) {
        if let Some(hint) = rest.strip_prefix("/*!") {
            let digits = hint.bytes().take_while(u8::is_ascii_digit).count();
            self.space(3 + digits);
        } else if let Some(end) = rest.get(2..).and_then(|inner| inner.find("*/")) {
            self.space(end + 4);
        } else {
            self.comment(rest, 2);
        }
    }

    fn line_comment(&mut self, rest: &str, mark: usize) {
        // What follows a line break is the statement again.
        match rest.find('\n') {
            Some(end) if !rest.get(end..).unwrap_or_default().trim().is_empty() => self.space(end),
            _ => self.comment(rest, mark),
        }
    }

    fn comment(&mut self, rest: &str, mark: usize) {
        let inside = rest.get(mark..).unwrap_or_default();
        let letters = inside.chars().filter(|c| c.is_alphanumeric()).count();
        self.push(Kind::Comment(letters), rest.len());
    }

    fn quoted(&mut self, rest: &str, quote: char) {
        let mut from = 1;
        loop {
            let Some(found) = rest.get(from..).and_then(|inner| inner.find(quote)) else {
                return self.push(Kind::OpenText, rest.len());
            };
            let end = from + found + 1;
            // Two quotes within a text are one.
            if rest.get(end..).is_some_and(|next| next.starts_with(quote)) && end > 2 {
                from = end + 1;
                continue;
            }
            return self.push(Kind::Text, end);
        }
    }

    fn number(&mut self, rest: &str) {
        let count = |text: &str, test: fn(&u8) -> bool| text.bytes().take_while(test).count();
        let tail = |at: usize| rest.get(at..).unwrap_or_default();
        if let Some(hex) = rest.strip_prefix("0x") {
            let length = count(hex, u8::is_ascii_hexdigit);
            return self.push(Kind::Number, 2 + length);
        }
        let mut length = count(rest, |b| b.is_ascii_digit() || *b == b'.');
        if let Some(exponent) = tail(length).strip_prefix('e') {
            let digits = count(exponent, u8::is_ascii_digit);
            if digits > 0 {
                length += 1 + digits;
            }
        }
        self.push(Kind::Number, length);
    }

    fn word(&mut self, rest: &str) {
        let length = rest
            .char_indices()
            .find(|(_, c)| !is_word(*c) && !c.is_ascii_digit())
            .map_or(rest.len(), |(at, _)| at);
        let kind = match rest.get(..length).unwrap_or_default() {
            "and" | "or" | "xor" => Kind::Logic,
            "like" | "rlike" | "regexp" | "in" | "is" | "between" | "sounds" | "div" | "glob" => {
                Kind::Operator
            }
            _ => Kind::Word,
        };
        self.push(kind, length);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '@' | '$' | '.')
}
