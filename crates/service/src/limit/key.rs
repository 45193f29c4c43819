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

/// What a key is in storage: tells nothing of the caller to whom does not know the secret, and has a fixed length.
pub(super) type Digest = [u8; 16];

impl RateKey {
    pub(super) fn digest(&self, class: RateClass, secret: &[u8]) -> Option<Digest> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(class.as_str().as_bytes());
        match self {
            Self::Principal(user) => {
                mac.update(b"\0user\0");
                mac.update(user.as_bytes());
            }
            Self::Address(address) => match address.expose().to_canonical() {
                IpAddr::V4(address) => {
                    mac.update(b"\0ipv4\0");
                    mac.update(&address.octets());
                }
                IpAddr::V6(address) => {
                    mac.update(b"\0ipv6\0");
                    mac.update(&network(address));
                }
            },
            Self::Wallet(wallet) => {
                mac.update(b"\0wallet\0");
                mac.update(wallet.as_bytes());
            }
        }
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
        RateKey::Address(address.into()).digest(RateClass::Read, b"secret")
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
        let of = |class, secret| key.digest(class, secret);
        assert_ne!(of(RateClass::Read, b"a"), of(RateClass::Read, b"b"));
        assert_ne!(of(RateClass::Read, b"a"), of(RateClass::Write, b"a"));
    }
}
