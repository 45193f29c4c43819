//! Operators of document databases where plain values belong.

const OPERATORS: [&str; 36] = [
    "ne",
    "eq",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "nin",
    "or",
    "and",
    "not",
    "nor",
    "exists",
    "type",
    "mod",
    "regex",
    "where",
    "text",
    "search",
    "expr",
    "function",
    "elemmatch",
    "all",
    "size",
    "jsonschema",
    "match",
    "lookup",
    "group",
    "project",
    "unwind",
    "options",
    "comment",
    "accumulator",
    "near",
    "geowithin",
    "slice",
];

fn operator(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len());
    OPERATORS
        .contains(&name.get(..end)?)
        .then(|| name.get(end..))?
}

/// Whether the name of a member in lower case is an operator.
pub(super) fn is_operator(name: &str) -> bool {
    operator(name) == Some("")
}

/// `user[$ne]`, `user.$ne`, `$where`: the name of a parameter that becomes an object.
pub(super) fn is_parameter(name: &str) -> bool {
    name.split(['[', '.', ']']).any(is_operator)
}

/// A value in lower case that becomes an object with an operator, or code of such a database.
pub(super) fn is_attack(text: &str) -> bool {
    is_object(text) || is_code(text)
}

/// `{"$ne": …}`, `{$gt: ''}`, `', $where: '1'`.
fn is_object(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| {
        let (before, here) = (text.get(..at).unwrap_or_default(), text.get(at..));
        let opened = before
            .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            .ends_with(['{', ',']);
        let named = here.and_then(operator).is_some_and(|rest| {
            let rest =
                rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
            rest.starts_with(':')
        });
        opened && named
    })
}

/// Out of a text of a `$where`, into its code.
fn is_code(text: &str) -> bool {
    let broken_out = text.split_once(['\'', '"']).is_some_and(|(_, rest)| {
        let code = rest.trim_start().trim_start_matches([';', ' ', '}', ')']);
        let chained = rest.trim_start().starts_with([';', '|', '&', '}']);
        let returns = code
            .strip_prefix("return")
            .is_some_and(|rest| rest.starts_with([' ', '(']));
        let own = code
            .trim_start_matches(['|', '&', ' ', '!'])
            .starts_with("this.");
        let loops = code.starts_with("while(") || code.starts_with("for(");
        chained && (returns || own || loops || calls_collection(code) || compares(code))
    });
    let statement = text
        .split(';')
        .skip(1)
        .any(|statement| calls_collection(statement.trim_start()));
    broken_out || statement || compares(text)
}

/// `db.users.drop(`
fn calls_collection(code: &str) -> bool {
    code.strip_prefix("db.").is_some_and(|rest| {
        let name = rest.split('(').next().unwrap_or_default();
        rest.contains('(') && name.contains('.') && !name.contains(' ')
    })
}

/// `||1==1//`
fn compares(code: &str) -> bool {
    let Some(rest) = code.trim_start().strip_prefix("||") else {
        return false;
    };
    rest.split_once("==").is_some_and(|(left, right)| {
        let right = right.trim_start_matches('=').trim_start();
        let end = right
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(right.len());
        left.trim() == right.get(..end).unwrap_or_default()
    })
}
