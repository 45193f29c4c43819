//! Words that begin another statement, or that only an injection puts where they are.

use super::sql::Statement;
use super::sql_tokens::Kind;

/// Tables and variables that describe the database itself.
const INNARDS: [&str; 12] = [
    "information_schema",
    "sqlite_master",
    "sqlite_schema",
    "sysobjects",
    "syscolumns",
    "pg_catalog",
    "pg_shadow",
    "pg_user",
    "mysql.user",
    "all_tables",
    "user_tables",
    "sys.",
];

/// What can be made and dropped.
const OBJECTS: [&str; 11] = [
    "table",
    "database",
    "schema",
    "view",
    "index",
    "user",
    "role",
    "login",
    "function",
    "trigger",
    "procedure",
];

impl Statement<'_> {
    /// What a second statement begins with, and what has to follow it there.
    pub(super) fn is_second_statement(&self, at: usize) -> bool {
        let Some(verb) = self.get(at) else {
            return false;
        };
        let word = |offset, words: &[&str]| self.word(at + offset, words);
        let kind = |offset| self.kind(at + offset);
        match verb.text {
            "drop" | "alter" | "create" | "truncate" => word(1, &OBJECTS) && kind(2).is_some(),
            "delete" => {
                word(1, &["from"])
                    && kind(2) == Some(Kind::Word)
                    && (kind(3).is_none()
                        || word(3, &["where"])
                        || matches!(kind(3), Some(Kind::Comment(_) | Kind::End)))
            }
            "insert" | "replace" | "merge" => {
                word(1, &["into"]) && kind(2) == Some(Kind::Word) && kind(3).is_some()
            }
            "update" => kind(1) == Some(Kind::Word) && word(2, &["set"]),
            "exec" | "execute" => self.get(at + 1).is_some_and(|name| {
                matches!(name.kind, Kind::Open | Kind::Text)
                    || ["xp_", "sp_", "master"]
                        .iter()
                        .any(|prefix| name.text.starts_with(prefix))
            }),
            "shutdown" => matches!(kind(1), None | Some(Kind::Comment(_) | Kind::End)),
            "declare" | "set" => self
                .get(at + 1)
                .is_some_and(|name| name.text.starts_with('@')),
            "grant" | "revoke" => {
                (2..6).any(|offset| word(offset, &["on"]))
                    && (3..9).any(|o| word(o, &["to", "from"]))
            }
            "copy" => kind(1) == Some(Kind::Word) && word(2, &["to", "from"]),
            "select" => self.is_column_list(at + 1),
            "waitfor" => word(1, &["delay", "time"]),
            _ => false,
        }
    }

    /// Words that are enough with what is around them.
    pub(super) fn is_telling(&self, at: usize) -> bool {
        let word = |offset, words: &[&str]| self.word(at + offset, words);
        let kind = |offset| self.kind(at + offset);
        let Some(token) = self.get(at) else {
            return false;
        };
        let ends = |offset| match self.kind(at + offset) {
            Some(Kind::Comment(_)) => true,
            None => self.quoted,
            _ => false,
        };
        match token.text {
            "waitfor" => {
                word(1, &["delay", "time"]) && matches!(kind(2), Some(Kind::Text | Kind::OpenText))
            }
            "procedure" => word(1, &["analyse"]) && kind(2) == Some(Kind::Open),
            "into" => word(1, &["outfile", "dumpfile"]),
            "order" | "group" => {
                word(1, &["by"])
                    && (kind(2) == Some(Kind::Number) && ends(3)
                        || (3..8).any(|offset| word(offset, &["having"])))
            }
            "having" => {
                kind(1) == Some(Kind::Number)
                    && kind(2) == Some(Kind::Operator)
                    && kind(3) == Some(Kind::Number)
            }
            "from" | "join" => {
                let table = self.get(at + 1).map_or("", |table| table.text);
                self.select.is_some_and(|select| select < at)
                    && INNARDS.iter().any(|name| table.starts_with(name))
            }
            _ => false,
        }
    }
}
