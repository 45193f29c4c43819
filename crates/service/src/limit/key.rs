//! Whose calls are counted together.

use super::RateClass;
use domain::WalletAddress;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::net::{IpAddr, Ipv6Addr};
use telemetry::privacy::Pii;
use uuid::Uuid;

/// Whose calls are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateKey {
    /// A user, whatever the session, wallet or address.
    Principal(Uuid),
    /// A network: one IPv4 address, or the /64 that an IPv6 address is in, since one customer has all of it.
    Address(Pii<IpAddr>),
    /// A wallet that somebody names, whoever it is.
    Wallet(WalletAddress),
}

/// What a key is in this process' memory: equal for equal callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Caller {
    class: RateClass,
    kind: &'static str,
    bytes: [u8; 32],
}

/// What a key is in storage: tells nothing of the caller to whom does not know the secret, and has a fixed length.
pub(super) type Digest = [u8; 16];

impl RateKey {
    /// The caller whose calls of `class` these are.
    pub(super) fn caller(&self, class: RateClass) -> Caller {
        let of = |kind, bytes: &[u8]| {
            let mut padded = [0; 32];
            for (to, from) in padded.iter_mut().zip(bytes) {
                *to = *from;
            }
            Caller {
                class,
                kind,
                bytes: padded,
            }
        };
        match self {
            Self::Principal(user) => of("user", user.as_bytes()),
            Self::Address(address) => match address.expose().to_canonical() {
                IpAddr::V4(address) => of("ipv4", &address.octets()),
                IpAddr::V6(address) => of("ipv6", &network(address)),
            },
            Self::Wallet(wallet) => of("wallet", wallet.as_bytes()),
        }
    }
}

impl Caller {
    /// The class.
    pub(super) const fn class(&self) -> RateClass {
        self.class
    }

    /// Its name in storage.
    pub(super) fn digest(&self, secret: &[u8]) -> Option<Digest> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        for part in [self.class.as_str(), "\0", self.kind, "\0"] {
            mac.update(part.as_bytes());
        }
        mac.update(&self.bytes);
        let bytes = mac.finalize().into_bytes();
        bytes.first_chunk().copied()
    }
}

/// The /64.
fn network(address: Ipv6Addr) -> [u8; 8] {
    (address.to_bits() >> 64)
        .to_be_bytes()
        .last_chunk()
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Option<Digest> {
        let address: IpAddr = text.parse().ok()?;
        let key = RateKey::Address(address.into());
        key.caller(RateClass::Read).digest(b"secret")
    }

    #[test]
    fn a_customer_with_a_whole_ipv6_network_is_one_caller() {
        assert!(digest("2001:db8::1").is_some());
        assert_eq!(digest("2001:db8::1"), digest("2001:db8::ffff:1:2:3"));
        assert_ne!(digest("2001:db8::1"), digest("2001:db8:0:1::1"));
        assert_eq!(digest("::ffff:192.0.2.1"), digest("192.0.2.1"));
        assert_ne!(digest("192.0.2.2"), digest("192.0.2.1"));
    }

    #[test]
    fn nothing_is_known_of_a_caller_without_the_secret() {
        let key = RateKey::Principal(Uuid::from_u128(1));
        let of = |class, secret| key.caller(class).digest(secret);
        assert_ne!(of(RateClass::Read, b"a"), of(RateClass::Read, b"b"));
        assert_ne!(of(RateClass::Read, b"a"), of(RateClass::Write, b"a"));
    }
}
