//! Refresh tokens: `twr_` and base64url of version, session, generation and a MAC under the session's own key.
//!
//! A token is computed, never stored: the row of a session holds its sealed key and the current generation, so the
//! token of a generation can be given out again, and nobody who reads the table can make one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::time::Duration;
use uuid::Uuid;
use zeroize::Zeroizing;

const PREFIX: &str = "twr_";
const VERSION: u8 = 1;
/// Version, session, generation.
const SIGNED_BYTES: usize = 1 + 16 + 4;
const MAC_BYTES: usize = 16;
/// Base64url of all bytes, without padding.
const TEXT_LENGTH: usize = PREFIX.len() + ((SIGNED_BYTES + MAC_BYTES) * 4).div_ceil(3);

/// How long sessions live, and how many a user may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionPolicy {
    /// A session that is not refreshed for this long is over.
    pub(crate) idle: Duration,
    /// A session is over after this, however much it is used.
    pub(crate) absolute: Duration,
    /// How long the token before the current one still gets the current one.
    pub(crate) grace: Duration,
    /// A sign-in beyond this ends the oldest session.
    pub(crate) per_user: u32,
}

/// The secret of one session.
#[derive(Clone)]
pub(crate) struct SessionKey(Zeroizing<[u8; 32]>);

impl SessionKey {
    /// A new one from the operating system's generator.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self(bytes))
    }

    /// The key that these bytes are.
    pub(crate) const fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// For sealing.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn mac(&self, signed: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0).ok()?;
        mac.update(signed);
        Some(mac)
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey")
    }
}

/// A text that cannot be a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token")]
pub(crate) struct NotARefreshToken;

/// What somebody presents. What it says is true only once [`RefreshToken::is_authentic`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    /// Of which session.
    pub(crate) session: Uuid,
    /// How many came before it.
    pub(crate) generation: u32,
    mac: [u8; MAC_BYTES],
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken")
    }
}

impl RefreshToken {
    /// The token of `generation`: always the same text for the same session and key.
    pub(crate) fn issue(key: &SessionKey, session: Uuid, generation: u32) -> Option<String> {
        let signed = signed(session, generation);
        let mac = key.mac(&signed)?.finalize().into_bytes();
        let mac = mac.first_chunk::<MAC_BYTES>()?;
        let bytes = [signed.as_slice(), mac].concat();
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Whether it was made with `key`. Takes as long for every wrong token.
    pub(crate) fn is_authentic(&self, key: &SessionKey) -> bool {
        key.mac(&signed(self.session, self.generation))
            .is_some_and(|mac| mac.verify_truncated_left(&self.mac).is_ok())
    }
}

impl TryFrom<&str> for RefreshToken {
    type Error = NotARefreshToken;

    fn try_from(text: &str) -> Result<Self, NotARefreshToken> {
        if text.len() != TEXT_LENGTH {
            return Err(NotARefreshToken);
        }
        let text = text.strip_prefix(PREFIX).ok_or(NotARefreshToken)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotARefreshToken)?;
        let (version, rest) = bytes.split_first().ok_or(NotARefreshToken)?;
        let (session, rest) = rest.split_first_chunk::<16>().ok_or(NotARefreshToken)?;
        let (generation, mac) = rest.split_first_chunk::<4>().ok_or(NotARefreshToken)?;
        if *version != VERSION {
            return Err(NotARefreshToken);
        }
        Ok(Self {
            session: Uuid::from_bytes(*session),
            generation: u32::from_be_bytes(*generation),
            mac: mac.try_into().map_err(|_| NotARefreshToken)?,
        })
    }
}

fn signed(session: Uuid, generation: u32) -> [u8; SIGNED_BYTES] {
    let mut bytes = [0u8; SIGNED_BYTES];
    let parts = [VERSION]
        .into_iter()
        .chain(*session.as_bytes())
        .chain(generation.to_be_bytes());
    for (byte, part) in bytes.iter_mut().zip(parts) {
        *byte = part;
    }
    bytes
}

/// What the row of a session says when one of its tokens is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The generation of the newest token that was given out.
    pub(crate) current: u32,
    /// Whether that was within the grace.
    pub(crate) rotated_lately: bool,
}

/// What to do with an authentic token of an open session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the newest: the next one is given out.
    Rotate,
    /// It was the newest a moment ago, so this may be another tab or a lost reply: the newest is given out again.
    Repeat,
    /// It was used before: someone has a copy.
    Reused,
    /// It was made after the newest that the database knows of: the database came back from a backup, or someone has
    /// the keys.
    Ahead,
}

impl Standing {
    /// What `generation` deserves.
    pub(crate) const fn judge(self, generation: u32) -> Verdict {
        if generation == self.current {
            Verdict::Rotate
        } else if generation > self.current {
            Verdict::Ahead
        } else if self.rotated_lately && self.current - generation == 1 {
            Verdict::Repeat
        } else {
            Verdict::Reused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: Uuid = Uuid::from_u128(0x018f_7a52_8c1e_7d3a_9b1e_0c6f_5a4b_3c2d);

    fn key(byte: u8) -> SessionKey {
        SessionKey::from_bytes(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn the_bytes_are_those_of_the_documentation() {
        let text = RefreshToken::issue(&key(7), SESSION, 258).unwrap();
        assert_eq!(text.len(), 54);
        let bytes = URL_SAFE_NO_PAD.decode(&text[4..]).unwrap();
        assert_eq!(
            hex::encode(&bytes[..21]),
            "01018f7a528c1e7d3a9b1e0c6f5a4b3c2d00000102"
        );
        let mac = key(7).mac(&bytes[..21]).unwrap().finalize().into_bytes();
        assert_eq!(bytes[21..], mac[..16]);
    }

    #[test]
    fn the_text_is_the_one_that_another_program_made() {
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, value) in bytes.iter_mut().zip(32..) {
            *byte = value;
        }
        let key = SessionKey::from_bytes(bytes);
        for (generation, text) in [
            (0, "twr_AQGPelKMHn06mx4Mb1pLPC0AAAAAlIEWBVI0EVOcrgBxKHQE9g"),
            (
                258,
                "twr_AQGPelKMHn06mx4Mb1pLPC0AAAECoYHYHADU4BWtpvvA0cwevA",
            ),
        ] {
            let issued = RefreshToken::issue(&key, SESSION, generation);
            assert_eq!(issued.as_deref(), Some(text));
        }
    }

    #[test]
    fn a_token_read_back_is_authentic_under_its_key_alone() {
        let text = RefreshToken::issue(&key(7), SESSION, 3).unwrap();
        let token = RefreshToken::try_from(text.as_str()).unwrap();
        assert_eq!((token.session, token.generation), (SESSION, 3));
        assert!(token.is_authentic(&key(7)));
        assert!(!token.is_authentic(&key(8)));
    }

    #[test]
    fn no_altered_token_is_authentic() {
        let text = RefreshToken::issue(&key(7), SESSION, 3).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&text[4..]).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let altered = format!("twr_{}", URL_SAFE_NO_PAD.encode(altered));
            let good = RefreshToken::try_from(altered.as_str())
                .is_ok_and(|token| token.is_authentic(&key(7)));
            assert!(!good, "byte {at}");
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_token() {
        let good = RefreshToken::issue(&key(7), SESSION, 3).unwrap();
        let mut last_bits = good.clone();
        last_bits.pop();
        last_bits.push('_');
        for bad in [
            "",
            "twr_",
            &good[4..],
            &good.replace("twr_", "twx_"),
            &format!("{good}="),
            &good[..53],
            &good.replace("twr_A", "twr_B"),
            &last_bits,
            &"é".repeat(27),
        ] {
            assert_eq!(RefreshToken::try_from(bad), Err(NotARefreshToken), "{bad}");
        }
    }

    #[test]
    fn a_token_is_judged_by_how_far_it_is_from_the_newest() {
        let lately = Standing {
            current: 5,
            rotated_lately: true,
        };
        let long_ago = Standing {
            current: 5,
            rotated_lately: false,
        };
        assert_eq!(lately.judge(5), Verdict::Rotate);
        assert_eq!(long_ago.judge(5), Verdict::Rotate);
        assert_eq!(lately.judge(4), Verdict::Repeat);
        assert_eq!(long_ago.judge(4), Verdict::Reused);
        assert_eq!(lately.judge(3), Verdict::Reused);
        assert_eq!(lately.judge(0), Verdict::Reused);
        assert_eq!(lately.judge(6), Verdict::Ahead);
        assert_eq!(long_ago.judge(u32::MAX), Verdict::Ahead);
    }
}
