//! The off-chain message of hardware wallets: a header before the text, so that what was signed can never be a
//! transaction.
//!
//! Version 0 is in use with two layouts. The one of the proposal, which newer devices sign:
//!
//! ```text
//! 16 bytes  ff "solana offchain"
//!  1        version, 0
//! 32        application domain: the host that asks (UTF-8, cut or filled with zeros), or all zeros
//!  1        format: 0 = printable ASCII and line feeds, 1 = UTF-8, 2 = UTF-8 of over 1,147 or 1,212 bytes
//!  1        number of signers, 1
//! 32        the signer's public key
//!  2        length of the message, little-endian
//!  …        the message
//! ```
//!
//! and the compact one, which older devices and the command line sign: the same without application domain and signers.
//!
//! Nothing is parsed here. A verifier knows the message, the signer and its own host, so it makes the few byte strings
//! that can have been signed and compares; a header that says anything else is none of them.

use crate::ids::WalletAddress;

/// What every off-chain message starts with. No transaction can start with `ff`.
pub const SIGNING_DOMAIN: [u8; 16] = *b"\xffsolana offchain";

const VERSION: u8 = 0;
const APPLICATION_DOMAIN_BYTES: usize = 32;
/// Up to this length every signer gives a message format 0 or 1; some do up to 1,212.
const SHORT_MESSAGE_BYTES: usize = 1_147;

/// How the header describes the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Printable ASCII. Devices that take the layout of the proposal count line feeds in.
    Ascii = 0,
    /// UTF-8.
    Utf8 = 1,
    /// UTF-8 that is too long for the first devices.
    LongUtf8 = 2,
}

impl Format {
    /// The formats that signers give to `message`: they do not all draw the same lines.
    fn possible(message: &str) -> impl Iterator<Item = Self> {
        let ascii = message.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n'));
        let long = message.len() > SHORT_MESSAGE_BYTES;
        let formats = [
            (Self::Ascii, ascii),
            (Self::Utf8, true),
            (Self::LongUtf8, long),
        ];
        formats
            .into_iter()
            .filter_map(|(format, possible)| possible.then_some(format))
    }
}

/// The layout of the proposal. `None` if the message is longer than its length field can say.
pub fn wrap(
    message: &str,
    format: Format,
    application_domain: &[u8; APPLICATION_DOMAIN_BYTES],
    signer: &WalletAddress,
) -> Option<Vec<u8>> {
    let header: [&[u8]; 5] = [
        &SIGNING_DOMAIN,
        &[VERSION],
        application_domain,
        &[format as u8, 1],
        signer.as_bytes(),
    ];
    finish(&header.concat(), message)
}

/// The compact layout. `None` if the message is longer than its length field can say.
pub fn wrap_compact(message: &str, format: Format) -> Option<Vec<u8>> {
    let header: [&[u8]; 2] = [&SIGNING_DOMAIN, &[VERSION, format as u8]];
    finish(&header.concat(), message)
}

/// The application domain that stands for `host`.
pub fn application_domain(host: &str) -> [u8; APPLICATION_DOMAIN_BYTES] {
    let mut bytes = [0; APPLICATION_DOMAIN_BYTES];
    for (byte, part) in bytes.iter_mut().zip(host.bytes()) {
        *byte = part;
    }
    bytes
}

/// Every byte string that a hardware wallet of `signer` can have signed for `message` of `host`: both layouts, with the
/// host as application domain or with none.
pub fn candidates(message: &str, signer: &WalletAddress, host: &str) -> Vec<Vec<u8>> {
    let domains = [[0; APPLICATION_DOMAIN_BYTES], application_domain(host)];
    Format::possible(message)
        .flat_map(|format| {
            domains
                .iter()
                .map(move |domain| wrap(message, format, domain, signer))
                .chain([wrap_compact(message, format)])
        })
        .flatten()
        .collect()
}

fn finish(header: &[u8], message: &str) -> Option<Vec<u8>> {
    let length = u16::try_from(message.len()).ok()?;
    Some([header, &length.to_le_bytes(), message.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNER: WalletAddress = WalletAddress::from_bytes([9; 32]);

    #[test]
    fn the_layouts_are_those_of_the_documentation() {
        let wrapped = wrap(
            "hi\n",
            Format::Ascii,
            &application_domain("a.example"),
            &SIGNER,
        );
        let expected = format!(
            "ff736f6c616e61206f6666636861696e00612e6578616d706c65{}0001{}0300{}",
            "00".repeat(23),
            "09".repeat(32),
            "68690a"
        );
        assert_eq!(hex::encode(wrapped.unwrap()), expected);
        let compact = wrap_compact("hi\n", Format::Utf8).unwrap();
        assert_eq!(
            hex::encode(compact),
            "ff736f6c616e61206f6666636861696e0001030068690a"
        );
    }

    #[test]
    fn an_ascii_text_has_two_formats_and_a_long_one_three() {
        let formats = |text: &str| Format::possible(text).collect::<Vec<_>>();
        assert_eq!(formats("a\nb"), [Format::Ascii, Format::Utf8]);
        assert_eq!(formats("é"), [Format::Utf8]);
        assert_eq!(formats("a\tb"), [Format::Utf8]);
        assert_eq!(formats(&"a".repeat(1_148)).len(), 3);
        assert_eq!(formats(&"é".repeat(700)), [Format::Utf8, Format::LongUtf8]);
    }

    #[test]
    fn a_message_too_long_for_its_length_field_is_never_cut() {
        let long = "a".repeat(65_536);
        assert_eq!(wrap_compact(&long, Format::LongUtf8), None);
        assert!(candidates(&long, &SIGNER, "a.example").is_empty());
        assert_eq!(candidates(&long[1..], &SIGNER, "a.example").len(), 9);
    }

    #[test]
    fn no_two_candidates_are_equal_and_all_end_in_the_message() {
        let all = candidates("text", &SIGNER, "a.example");
        assert_eq!(all.len(), 6);
        for (at, one) in all.iter().enumerate() {
            assert!(one.ends_with(b"\x04\x00text"));
            assert!(!all[..at].contains(one));
        }
    }
}
