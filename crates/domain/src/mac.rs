//! HMAC-SHA-256 over bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

fn keyed(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    // Keys longer than a block are hashed first (RFC 2104), so every length is a valid key; the empty fallback can
    // therefore not be reached.
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    mac.update(message);
    mac
}

/// The code of `message` under `key`.
pub fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    keyed(key, message).finalize().into_bytes().into()
}

/// Whether `code` is that of `message` under `key`, in constant time.
pub fn holds(key: &[u8], message: &[u8], code: &[u8]) -> bool {
    keyed(key, message).verify_slice(code).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_that_of_the_standard() {
        // RFC 4231, test case 2.
        let code = mac(b"Jefe", b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(code), expected);
        assert!(holds(b"Jefe", b"what do ya want for nothing?", &code));
        assert!(!holds(b"Jeff", b"what do ya want for nothing?", &code));
        assert!(!holds(
            b"Jefe",
            b"what do ya want for nothing?",
            &code[..31]
        ));
    }
}
