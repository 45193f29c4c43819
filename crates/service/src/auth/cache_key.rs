//! What a token is called in the cache of believed ones.

use siphasher::sip128::SipHasher24;
use std::fmt;
use uuid::Uuid;

/// Names tokens by their SipHash-2-4-128 under a secret of this process: the cache holds no credential, and nobody can
/// make two tokens with one name. (SHA-256 would do too, but processors without instructions for it take some µs for a token.)
pub(super) struct CacheKey(SipHasher24);

impl CacheKey {
    /// A new secret: 122 random bits.
    pub(super) fn random() -> Self {
        Self(SipHasher24::new_with_key(Uuid::new_v4().as_bytes()))
    }

    /// The name of `token`.
    pub(super) fn of(&self, token: &str) -> u128 {
        self.0.hash(token.as_bytes()).as_u128()
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_one_token_and_of_one_process() {
        let (key, other) = (CacheKey::random(), CacheKey::random());
        assert_eq!(key.of("a token"), key.of("a token"));
        assert_ne!(key.of("a token"), key.of("a tokem"));
        assert_ne!(key.of("a token"), other.of("a token"));
        assert_eq!(format!("{key:?}"), "CacheKey");
    }
}
