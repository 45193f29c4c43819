//! SQL injection: a value that would change the shape of a statement it was pasted into.
//!
//! The value is read twice: as it stands (pasted as a number or a name) and from its first quote on (pasted into a
//! quoted text that the quote ends). What counts is structure: a comparison of constants after a logic word, a second
//! SELECT, a second statement, a comment that cuts the rest off.

use super::Care;
use super::sql_tokens::{Kind, Token, tokens};

/// Whether a value in lower case is an injection.
pub(super) fn is_attack(text: &str, care: Care) -> bool {
    if !text.contains(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_')) {
        return false;
    }
    if Statement::new(text, false, care).is_attack() {
        return true;
    }
    ['\'', '"', '`'].into_iter().any(|quote| {
        let rest = text.split_once(quote).map(|(_, rest)| rest);
        rest.is_some_and(|rest| Statement::new(rest, true, care).is_attack())
    })
}

/// Functions that an injection calls and a search does not follow a logic word with.
const FUNCTIONS: [&str; 34] = [
    "sleep",
    "benchmark",
    "pg_sleep",
    "extractvalue",
    "updatexml",
    "load_file",
    "load_extension",
    "convert",
    "cast",
    "ascii",
    "substr",
    "substring",
    "mid",
    "ord",
    "char",
    "chr",
    "if",
    "ifnull",
    "iif",
    "row",
    "exists",
    "count",
    "concat",
    "length",
    "user",
    "database",
    "version",
    "elt",
    "make_set",
    "randomblob",
    "hex",
    "md5",
    "sha1",
    "xp_cmdshell",
];

pub(super) struct Statement<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    /// A quote came before.
    pub(super) quoted: bool,
    care: Care,
    /// The first SELECT.
    pub(super) select: Option<usize>,
}

impl<'a> Statement<'a> {
    fn new(text: &'a str, quoted: bool, care: Care) -> Self {
        let tokens = tokens(text);
        Self {
            select: tokens.iter().position(|token| token.is("select")),
            tokens,
            quoted,
            care,
        }
    }

    fn is_attack(&self) -> bool {
        // What a site wrote about itself may be about SQL; only what breaks out of a text is more than that.
        let loose = self.care == Care::Full;
        (self.quoted && (self.is_cut_off() || self.is_resumed()))
            || ((self.quoted || loose) && self.compares_constants())
            || (0..self.tokens.len()).any(|at| {
                let cut = self.is_commented() && self.kind(at) == Some(Kind::End);
                self.is_union(at) || ((self.quoted || loose || cut) && self.is_out_of_place(at))
            })
    }

    fn is_commented(&self) -> bool {
        let last = self.tokens.last();
        last.is_some_and(|last| matches!(last.kind, Kind::Comment(letters) if letters <= 3))
    }

    pub(super) fn get(&self, at: usize) -> Option<&Token<'a>> {
        self.tokens.get(at)
    }

    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.get(at).map(|token| token.kind)
    }

    pub(super) fn word(&self, at: usize, words: &[&str]) -> bool {
        self.get(at).is_some_and(|token| token.is_any(words))
    }

    /// `admin'--`: nothing but a short comment after the quote.
    fn is_cut_off(&self) -> bool {
        let mut rest = self.tokens.iter();
        rest.find(|token| !matches!(token.kind, Kind::Close | Kind::End))
            .is_some_and(|token| matches!(token.kind, Kind::Comment(letters) if letters <= 3))
    }

    /// `'=''or'`: an operator and a text right after the quote, and a logic word.
    fn is_resumed(&self) -> bool {
        matches!(
            (self.kind(0), self.kind(1), self.kind(2)),
            (Some(Kind::Operator), Some(Kind::Text), Some(Kind::Logic))
        )
    }

    /// `or 1=1`, `and 'a' like 'a'`, `or id=id`, `or true--`. Brackets and signs do not matter.
    fn compares_constants(&self) -> bool {
        let plain: Vec<&Token<'_>> = self
            .tokens
            .iter()
            .filter(|token| !matches!(token.kind, Kind::Open | Kind::Close))
            .filter(|token| !token.is_any(&["not", "!", "~", "+", "-", "binary"]))
            .collect();
        plain
            .iter()
            .enumerate()
            .filter(|(_, token)| token.kind == Kind::Logic)
            .any(|(at, _)| self.is_tautology(plain.get(at + 1..).unwrap_or_default()))
    }

    fn is_tautology(&self, after: &[&Token<'_>]) -> bool {
        let (Some(left), next) = (after.first(), after.get(1)) else {
            return false;
        };
        let ends_with = |rest: Option<&&Token<'_>>| match rest {
            None => true,
            Some(token) => {
                matches!(
                    token.kind,
                    Kind::Comment(_) | Kind::End | Kind::Logic | Kind::OpenText
                ) || token.is_any(&[
                    "limit",
                    "union",
                    "order",
                    "group",
                    "having",
                    "procedure",
                    "into",
                    "offset",
                    "asc",
                ])
            }
        };
        let Some(operator) = next.filter(|token| token.kind == Kind::Operator) else {
            // `or true--`, `or 1#`
            let cut = matches!(next.map(|n| n.kind), Some(Kind::Comment(_) | Kind::End));
            return self.quoted && is_constant(left) && cut;
        };
        let Some(right) = after.get(2) else {
            return false;
        };
        let tail = after.get(3);
        if is_constant(left) && is_constant(right) {
            let between = operator.is("between");
            let tail = if between { after.get(5) } else { tail };
            if !ends_with(tail) {
                return false;
            }
            let same = left.text.trim_matches(QUOTES) == right.text.trim_matches(QUOTES);
            let tight = !operator.spaced && !right.spaced;
            let texts = left.kind != Kind::Number || right.kind != Kind::Number;
            return self.quoted || same || tight || texts || between || operator.is("in");
        }
        let tight = !operator.spaced && !right.spaced;
        if is_constant(left) && right.is_any(&FUNCTIONS) {
            return self.quoted || tight;
        }
        let named = left.kind == Kind::Word;
        let null = operator.is("is") && right.is_any(&["null", "not"]);
        self.quoted && named && (null || (left.text == right.text && ends_with(tail)))
    }

    /// `union [all] select` with a list of columns.
    fn is_union(&self, at: usize) -> bool {
        if !self.word(at, &["union", "except", "intersect"]) {
            return false;
        }
        let mut next = at + 1;
        if self.word(next, &["all", "distinct"]) {
            next += 1;
        }
        while self.kind(next) == Some(Kind::Open) {
            next += 1;
        }
        self.word(next, &["select", "values"]) && self.is_column_list(next + 1)
    }

    pub(super) fn is_column_list(&self, at: usize) -> bool {
        let mut at = at;
        while self.word(at, &["all", "distinct", "top"]) || self.kind(at) == Some(Kind::Open) {
            at += 1;
        }
        let Some(first) = self.get(at) else {
            return false;
        };
        match first.kind {
            Kind::Number | Kind::Text | Kind::OpenText | Kind::Comment(_) => true,
            Kind::Operator => first.is_any(&["*", "-", "+", "~"]),
            Kind::Word => {
                first.is("null")
                    || first.text.starts_with('@')
                    || matches!(self.kind(at + 1), Some(Kind::Comma | Kind::Open))
                    || (self.word(at + 1, &["from"]) && self.kind(at + 2) == Some(Kind::Word))
            }
            _ => false,
        }
    }

    fn is_out_of_place(&self, at: usize) -> bool {
        let Some(token) = self.get(at) else {
            return false;
        };
        match token.kind {
            Kind::End => self.is_second_statement(at + 1),
            Kind::Open => self.word(at + 1, &["select"]) && self.is_subquery(at),
            Kind::Logic | Kind::Comma => self.is_call(at + 1) || self.is_case(at + 1),
            Kind::Word => self.is_telling(at),
            Kind::Operator => self.quoted && at == 0 && self.is_call(1),
            _ => false,
        }
    }

    fn is_call(&self, at: usize) -> bool {
        let known = |token: &Token<'_>| {
            token.is_any(&FUNCTIONS)
                || ["utl_", "dbms_", "pg_", "sys."]
                    .iter()
                    .any(|package| token.text.starts_with(package))
        };
        let glued = self.get(at + 1).is_some_and(|open| open.kind == Kind::Open);
        let logic = at > 0 && self.kind(at - 1) == Some(Kind::Logic);
        let strong = self.get(at).is_some_and(|token| {
            token.is_any(&[
                "sleep",
                "pg_sleep",
                "benchmark",
                "load_file",
                "extractvalue",
            ])
        });
        glued && self.get(at).is_some_and(known) && (logic || strong)
    }

    fn is_case(&self, at: usize) -> bool {
        self.word(at, &["case"]) && self.word(at + 1, &["when"])
    }

    /// A SELECT in brackets where a value belongs.
    fn is_subquery(&self, open: usize) -> bool {
        if !self.is_column_list(open + 2) {
            return false;
        }
        let before = open.checked_sub(1).and_then(|at| self.get(at));
        match before {
            None => self.quoted || self.calls_something(open),
            Some(token) => {
                matches!(
                    token.kind,
                    Kind::Logic | Kind::Operator | Kind::Comma | Kind::Open | Kind::Number
                ) || token.is_any(&FUNCTIONS)
            }
        }
    }

    fn calls_something(&self, from: usize) -> bool {
        (from..self.tokens.len()).any(|at| {
            self.word(at, &["from"])
                && self.kind(at + 1) == Some(Kind::Word)
                && self.kind(at + 2) == Some(Kind::Open)
        })
    }
}

const QUOTES: [char; 3] = ['\'', '"', '`'];

fn is_constant(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Number | Kind::Text | Kind::OpenText)
        || token.is_any(&["true", "false", "null"])
        || token.text.starts_with("@@")
}
