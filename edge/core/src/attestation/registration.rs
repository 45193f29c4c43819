//! A new credential.

use super::authenticator::AuthenticatorData;
use super::cbor::Reader;
use super::client_data::{Ceremony, check};
use super::{Policy, Reason};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Longer than any attestation object with its certificates.
pub const MAX_OBJECT_BYTES: usize = 16 * 1024;
/// The longest name of a format.
const MAX_FORMAT: usize = 32;

/// What an authenticator says of a credential that it has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// Its id, base64url.
    pub credential_id: String,
    /// Its public key in COSE, base64url.
    pub public_key: String,
    /// The name of the key's algorithm.
    pub algorithm: &'static str,
    /// The counter's start.
    pub sign_count: u32,
    /// The authenticator's make, as it claims.
    pub aaguid: [u8; 16],
    /// The format of the statement about the make, which is not looked into.
    pub format: String,
    /// Whether the user was recognised.
    pub user_verified: bool,
}

/// Judges the answer of `navigator.credentials.create()`; both texts are base64url without padding.
pub fn registration(
    client_data_json: &str,
    attestation_object: &str,
    challenge: &[u8; 32],
    policy: &Policy,
) -> Result<NewCredential, Reason> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Reason::Malformed);
    check(
        &decode(client_data_json)?,
        Ceremony::Create,
        challenge,
        policy,
    )?;
    let object = decode(attestation_object)?;
    if object.len() > MAX_OBJECT_BYTES {
        return Err(Reason::Malformed);
    }
    let (format, bytes) = read(&object)?;
    let data = AuthenticatorData::parse(bytes)?;
    data.check(policy)?;
    let (sign_count, user_verified) = (data.sign_count, data.user_verified());
    let attested = data.attested.ok_or(Reason::Malformed)?;
    Ok(NewCredential {
        credential_id: URL_SAFE_NO_PAD.encode(&attested.credential_id),
        public_key: URL_SAFE_NO_PAD.encode(&attested.key_bytes),
        algorithm: attested.key.algorithm(),
        sign_count,
        aaguid: attested.aaguid,
        format: format.to_owned(),
        user_verified,
    })
}

/// The format and the authenticator data of an attestation object.
fn read(object: &[u8]) -> Result<(&str, &[u8]), Reason> {
    let mut reader = Reader::new(object);
    let (mut format, mut data, mut statement) = (None, None, false);
    for _ in 0..reader.map()? {
        match reader.text()? {
            "fmt" if format.is_none() => format = Some(reader.text()?),
            "authData" if data.is_none() => data = Some(reader.bytes()?),
            "attStmt" if !statement => {
                reader.skip()?;
                statement = true;
            }
            _ => return Err(Reason::Malformed),
        }
    }
    reader.end()?;
    match (format, data) {
        (Some(format), Some(data)) if statement && is_name(format) => Ok((format, data)),
        _ => Err(Reason::Malformed),
    }
}

fn is_name(format: &str) -> bool {
    (1..=MAX_FORMAT).contains(&format.len())
        && format
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
