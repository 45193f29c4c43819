//! Challenges: a task that a caller solves to get through, once.
//!
//! A challenge is `base64url(fields) "." base64url(mac)`. The fields are its version, how hard it is, what kind of
//! route it is for, when it ends, the caller's network and a nonce; nothing is kept until it is solved. A proof, sent
//! in [`HEADER`], is `challenge "." answer`. Without a difficulty the answer is a token of Turnstile; otherwise it is
//! up to [`MAX_ANSWER_BYTES`] letters and digits such that SHA-256 of the whole proof begins with as many zero bits.
//! That a proof is used once is for whoever keeps [`Solved::id`] until [`Solved::until`].

use crate::proxy::Class;
use crate::{Refusal, Secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use contracts::Code;
use domain::EpochMs;
use domain::bytes::sha256;
use domain::mac;

/// The request header with a proof.
pub const HEADER: &str = "x-challenge-proof";
/// How long a challenge can be solved.
pub const TTL_MS: u64 = 120_000;
/// Letters and digits of an answer that is a proof of work.
pub const MAX_ANSWER_BYTES: usize = 64;
/// A token of Turnstile is not longer.
const MAX_TOKEN_BYTES: usize = 2_048;

const VERSION: u8 = 1;
const FIELDS: usize = 1 + 1 + 1 + 8 + 16 + 16;
/// Keeps the key's other uses apart from this one.
const PURPOSE: &[u8] = b"twist-challenge-v1";

/// For whom and what a challenge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The caller's network, as limits count it.
    pub network: &'a str,
    /// The kind of route.
    pub class: Class,
}

impl Scope<'_> {
    fn bytes(&self) -> ([u8; 16], u8) {
        let digest = sha256(self.network.as_bytes());
        let mut network = [0; 16];
        for (to, from) in network.iter_mut().zip(digest) {
            *to = from;
        }
        let class = match self.class {
            Class::Vau => 1,
            Class::Read => 2,
            Class::Ops => 3,
        };
        (network, class)
    }
}

/// A new challenge. `bits` of zero asks for a token of Turnstile.
pub fn issue(key: &Secret, nonce: [u8; 16], bits: u8, scope: Scope<'_>, now: EpochMs) -> String {
    let (network, class) = scope.bytes();
    let until = now.get().saturating_add(TTL_MS);
    let mut fields = vec![VERSION, bits, class];
    fields.extend(until.to_be_bytes());
    fields.extend(network);
    fields.extend(nonce);
    let code = mac::mac(key.bytes(), &[PURPOSE, &fields].concat());
    format!("{}.{}", BASE64.encode(&fields), BASE64.encode(code))
}

/// A proof that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    /// Names the challenge.
    pub id: String,
    /// When it ends, epoch ms.
    pub until: u64,
    /// The token to ask Turnstile about.
    pub token: Option<String>,
}

/// Checks a proof; whether it was used before, and what Turnstile says, is not known here.
pub fn check(key: &Secret, proof: &str, scope: Scope<'_>, now: EpochMs) -> Result<Solved, Refusal> {
    let mut parts = proof.splitn(3, '.');
    let (Some(fields), Some(code), Some(answer)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(invalid());
    };
    let decode = |text: &str| BASE64.decode(text).map_err(|_| invalid());
    let (fields, code) = (decode(fields)?, decode(code)?);
    if fields.len() != FIELDS || !mac::holds(key.bytes(), &[PURPOSE, &fields].concat(), &code) {
        return Err(invalid());
    }
    let (head, rest) = fields.split_at_checked(3).ok_or_else(invalid)?;
    let (until, rest) = rest.split_first_chunk::<8>().ok_or_else(invalid)?;
    let (network, nonce) = rest.split_first_chunk::<16>().ok_or_else(invalid)?;
    let [VERSION, bits, class] = *head else {
        return Err(invalid());
    };
    if (*network, class) != scope.bytes() {
        return Err(invalid());
    }
    let until = u64::from_be_bytes(*until);
    if now.get() >= until {
        return Err(Refusal::new(
            Code::ChallengeInvalid,
            "The challenge has expired; ask for another by sending the request without a proof.",
        ));
    }
    let token = if bits == 0 {
        if answer.is_empty() || answer.len() > MAX_TOKEN_BYTES {
            return Err(invalid());
        }
        Some(answer.to_owned())
    } else {
        let plain = answer.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain || answer.len() > MAX_ANSWER_BYTES || zero_bits(proof) < u32::from(bits) {
            return Err(invalid());
        }
        None
    };
    Ok(Solved {
        id: hex::encode(nonce),
        until,
        token,
    })
}

/// Zero bits at the beginning of a text's SHA-256.
pub fn zero_bits(text: &str) -> u32 {
    let mut zeros = 0;
    for byte in sha256(text.as_bytes()) {
        zeros += byte.leading_zeros();
        if byte != 0 {
            break;
        }
    }
    zeros
}

const fn invalid() -> Refusal {
    Refusal::new(
        Code::ChallengeInvalid,
        "The proof is not one for a challenge of this caller and route; ask for another by sending the request without a proof.",
    )
}

/// The proof was used before.
pub const fn used() -> Refusal {
    Refusal::new(
        Code::ChallengeInvalid,
        "The proof was used before; ask for another by sending the request without a proof.",
    )
}

/// What a caller is told about its task.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The challenge.
    pub challenge: String,
    /// `proof-of-work` or `turnstile`.
    pub kind: &'static str,
    /// Zero bits to find; for proofs of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<u8>,
    /// For Turnstile's widget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_key: Option<String>,
    /// When it ends, epoch ms.
    pub expires_at: u64,
}

impl Task {
    /// The answer that asks for a proof.
    pub fn refusal(&self) -> Refusal {
        let refusal = Refusal::new(
            Code::ChallengeRequired,
            "Solve the challenge in `data` and send the request again with the proof in X-Challenge-Proof.",
        );
        Refusal {
            data: serde_json::to_value(self).ok(),
            ..refusal
        }
    }
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
