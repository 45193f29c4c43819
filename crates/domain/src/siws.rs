//! The Sign-In-With-Solana message: the text a wallet shows and signs.
//!
//! Every field is required and each stands once, in this order, with `\n` between lines:
//!
//! ```text
//! {domain} wants you to sign in with your Solana account:
//! {address}
//!
//! {statement}
//!
//! URI: {uri}
//! Version: 1
//! Chain ID: {chainId}
//! Nonce: {nonce}
//! Issued At: {issuedAt}
//! Expiration Time: {expirationTime}
//! Request ID: {requestId}
//! ```

use crate::ids::WalletAddress;
use core::fmt;

/// The shortest and longest message that is looked at, in bytes.
pub const MESSAGE_BYTES: core::ops::RangeInclusive<usize> = 64..=2_048;

/// The fields of a sign-in message. Times are RFC 3339 text, kept as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInMessage {
    /// Host (and port) that asks for the sign-in.
    pub domain: String,
    /// The wallet that signs.
    pub address: WalletAddress,
    /// One line for the person.
    pub statement: String,
    /// The URI the sign-in is for.
    pub uri: String,
    /// `solana:mainnet`, `solana:devnet` or another CAIP-2 style name.
    pub chain_id: String,
    /// One-time value made by the server.
    pub nonce: String,
    /// When the server made the message.
    pub issued_at: String,
    /// When the nonce stops being good.
    pub expiration_time: String,
    /// The server's id of this attempt.
    pub request_id: String,
}

/// Why a text is not a sign-in message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Shorter or longer than any sign-in message.
    #[error("message must be 64 to 2048 bytes")]
    Size,
    /// A line is missing, out of order, repeated or unknown.
    #[error("message is not a complete Sign-In-With-Solana message: expected {0}")]
    Line(&'static str),
}

const HEADER: &str = " wants you to sign in with your Solana account:";

impl fmt::Display for SignInMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            address,
            statement,
            uri,
            chain_id,
            nonce,
            ..
        } = self;
        write!(
            f,
            "{domain}{HEADER}\n{address}\n\n{statement}\n\nURI: {uri}\nVersion: 1\n"
        )?;
        write!(
            f,
            "Chain ID: {chain_id}\nNonce: {nonce}\nIssued At: {}\n",
            self.issued_at
        )?;
        write!(
            f,
            "Expiration Time: {}\nRequest ID: {}",
            self.expiration_time, self.request_id
        )
    }
}

impl SignInMessage {
    /// Reads a message. Only the exact text that [`fmt::Display`] writes is accepted, so a message
    /// has one meaning and one form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if !MESSAGE_BYTES.contains(&text.len()) {
            return Err(ParseError::Size);
        }
        let mut lines = text.split('\n');
        let mut line = |what: &'static str| {
            lines
                .next()
                .filter(|l| !l.chars().any(char::is_control))
                .ok_or(ParseError::Line(what))
        };
        let domain = field(line("the domain")?.strip_suffix(HEADER), "the domain")?;
        let address = WalletAddress::try_from(line("the address")?)
            .map_err(|_| ParseError::Line("the address"))?;
        blank(line("a blank line")?)?;
        let statement = field(Some(line("the statement")?), "the statement")?;
        blank(line("a blank line")?)?;
        let uri = field(line("URI")?.strip_prefix("URI: "), "URI")?;
        if line("Version: 1")? != "Version: 1" {
            return Err(ParseError::Line("Version: 1"));
        }
        let chain_id = field(line("Chain ID")?.strip_prefix("Chain ID: "), "Chain ID")?;
        let nonce = field(line("Nonce")?.strip_prefix("Nonce: "), "Nonce")?;
        let issued_at = field(line("Issued At")?.strip_prefix("Issued At: "), "Issued At")?;
        let expires = "Expiration Time";
        let expiration_time = field(line(expires)?.strip_prefix("Expiration Time: "), expires)?;
        let request_id = field(
            line("Request ID")?.strip_prefix("Request ID: "),
            "Request ID",
        )?;
        if lines.next().is_some() {
            return Err(ParseError::Line("the end of the message"));
        }
        Ok(Self {
            domain,
            address,
            statement,
            uri,
            chain_id,
            nonce,
            issued_at,
            expiration_time,
            request_id,
        })
    }
}

fn field(value: Option<&str>, what: &'static str) -> Result<String, ParseError> {
    value
        .filter(|v| !v.is_empty())
        .map(str::to_owned)
        .ok_or(ParseError::Line(what))
}

fn blank(line: &str) -> Result<(), ParseError> {
    if line.is_empty() {
        Ok(())
    } else {
        Err(ParseError::Line("a blank line"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message() -> SignInMessage {
        SignInMessage {
            domain: "app.twist.example".into(),
            address: WalletAddress::from_bytes([9; 32]),
            statement: "Sign in to TWIST.".into(),
            uri: "https://app.twist.example/auth".into(),
            chain_id: "solana:devnet".into(),
            nonce: "5kqT3xJb1ZrM8yPw0cVnLd".into(),
            issued_at: "2026-01-01T00:00:00Z".into(),
            expiration_time: "2026-01-01T00:05:00Z".into(),
            request_id: "018f7a52-8c1e-7d3a-9b1e-0c6f5a4b3c2d".into(),
        }
    }

    #[test]
    fn the_text_read_back_is_the_message() {
        assert_eq!(SignInMessage::parse(&message().to_string()), Ok(message()));
    }

    #[test]
    fn a_changed_layout_is_not_a_message() {
        let good = message().to_string();
        for bad in [
            good.replace('\n', "\r\n"),
            format!("{good}\n"),
            format!("{good}\nResources:"),
            good.replace("Version: 1", "Version: 2"),
            good.replace("Nonce: 5kqT3xJb1ZrM8yPw0cVnLd\n", ""),
            good.replace("Chain ID", "Nonce: a\nChain ID"),
            good.replace("Sign in to TWIST.\n", ""),
            good.replace("app.twist.example wants", " wants"),
            "x".repeat(2_049),
            String::new(),
        ] {
            assert!(SignInMessage::parse(&bad).is_err(), "accepted:\n{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_prints_back_unchanged(text in "\\PC{0,80}(\n\\PC{0,80}){0,12}") {
            if let Ok(parsed) = SignInMessage::parse(&text) {
                prop_assert_eq!(parsed.to_string(), text);
            }
        }
    }
}
