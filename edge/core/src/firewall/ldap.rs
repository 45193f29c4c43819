//! LDAP injection: a value that would change the shape of a search filter.

/// Attributes that people are found by.
const ATTRIBUTES: [&str; 16] = [
    "uid",
    "cn",
    "sn",
    "mail",
    "ou",
    "dc",
    "objectclass",
    "userpassword",
    "password",
    "samaccountname",
    "memberof",
    "givenname",
    "department",
    "member",
    "objectcategory",
    "userprincipalname",
];

/// Brackets in a row that are looked through.
const DEPTH: usize = 32;

/// Whether a value in lower case closes a filter, opens one, or is one.
pub(super) fn is_attack(text: &str) -> bool {
    text.contains('(') && (opens_filter(text) || reopens(text)) || closes_all(text)
}

/// `(&(uid=x)…`, `(|(mail=*))`, `(!(uid=x))`.
fn opens_filter(text: &str) -> bool {
    text.match_indices('(').any(|(at, _)| {
        let inside = text.get(at + 1..).unwrap_or_default();
        let Some(operand) = inside.strip_prefix(['&', '|', '!']) else {
            return false;
        };
        let operand = operand.trim_start();
        operand.strip_prefix('(').is_some_and(|rest| {
            let rest = rest
                .char_indices()
                .take(DEPTH)
                .find(|(_, c)| !matches!(c, '&' | '|' | '!' | '('))
                .and_then(|(at, _)| rest.get(at..))
                .unwrap_or_default();
            matches!(assertion(rest), Some(true))
        })
    })
}

/// `x)(uid=*`, `x)(|(…`, `x)(&)`: ends one filter and begins another.
fn reopens(text: &str) -> bool {
    text.match_indices(')').any(|(at, _)| {
        let after = text.get(at + 1..).unwrap_or_default();
        let Some(inside) = after.strip_prefix('(') else {
            return false;
        };
        let bare = inside.strip_prefix(['&', '|', '!']);
        let operator = bare.is_some_and(|rest| rest.starts_with([')', '(']));
        let doubled = inside
            .strip_prefix('(')
            .is_some_and(|rest| rest.starts_with(['&', '|', '!']));
        let bare = bare.and_then(assertion) == Some(true);
        operator || doubled || bare || assertion(inside) == Some(true)
    })
}

/// `*))` and the end of a text of C.
fn closes_all(text: &str) -> bool {
    let rest = text.split("*)").nth(1);
    rest.is_some_and(|rest| rest.trim_start_matches(')').starts_with('\0'))
}

/// Whether `attribute=value` begins here, and if so whether it is one to search people by.
fn assertion(text: &str) -> Option<bool> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ';' | '.')))?;
    let (name, rest) = (text.get(..end)?, text.get(end..)?);
    let fuzzy = ["~=", ">=", "<=", ":="]
        .iter()
        .find_map(|op| rest.strip_prefix(op));
    let value = fuzzy.or_else(|| {
        rest.strip_prefix('=')
            .filter(|value| !value.starts_with('='))
    })?;
    Some(ATTRIBUTES.contains(&name) || (!name.is_empty() && value.starts_with('*')))
}
