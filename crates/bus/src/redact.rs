//! Error texts that may be kept.

/// A text is cut after so many characters.
const MAX: usize = 500;
/// From here on a run of letters and digits is taken for a key, a token, a wallet or a signature.
const LONG: usize = 20;

/// `text` without what may be somebody's: addresses, URLs, and long runs of letters and digits that are no UUID.
pub fn redacted(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(MAX));
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"'`()[]{},;=".contains(c)) {
        let word =
            piece.trim_end_matches(|c: char| c.is_whitespace() || "\"'`()[]{},;=".contains(c));
        let tail = piece.get(word.len()..).unwrap_or_default();
        clean.push_str(if is_private(word) { "[redacted]" } else { word });
        clean.push_str(tail);
    }
    clean.chars().take(MAX).collect()
}

fn is_private(word: &str) -> bool {
    if word.contains('@') || word.contains("://") {
        return true;
    }
    let bare = word.trim_matches(|c: char| ":.".contains(c));
    bare.len() >= LONG
        && bare.chars().any(|c| c.is_ascii_digit())
        && bare
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+/_-.".contains(c))
        && uuid::Uuid::try_parse(bare).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_error_shows_no_address_url_key_or_token() {
        let error = "cannot pay 4Nd1mYQzvgV8Vr3Z3nYb7pD6T8K2jF1m2a3b4c5d6e7f for \"a@b.example\": \
                     postgres://u:p@h/db said no (token=eyJhbGciOiJFZERTQSJ9.e30.abc123)";
        let clean = redacted(error);
        for secret in ["4Nd1m", "a@b", "u:p", "eyJ"] {
            assert!(!clean.contains(secret), "{clean}");
        }
        assert!(
            clean.starts_with("cannot pay [redacted] for \"[redacted]\": "),
            "{clean}"
        );
    }

    #[test]
    fn a_kept_error_still_says_what_happened_and_to_which_event() {
        let error = "event 0199a2f0-7c1e-7000-8000-000000000001: duplicate key violates \"payout_one_open\"";
        assert_eq!(redacted(error), error);
        assert_eq!(redacted(&"x ".repeat(1_000)).len(), MAX);
    }
}
