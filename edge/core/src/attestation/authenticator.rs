//! Authenticator data: what an authenticator says about itself and the user.

use super::cbor::Reader;
use super::cose::CoseKey;
use super::{Policy, Reason};
use domain::bytes::sha256;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// The longest credential id.
const MAX_CREDENTIAL_ID: usize = 1_023;

/// The fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthenticatorData {
    rp_id_hash: [u8; 32],
    flags: u8,
    pub(super) sign_count: u32,
    pub(super) attested: Option<Attested>,
}

/// A new credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attested {
    pub(super) aaguid: [u8; 16],
    pub(super) credential_id: Vec<u8>,
    pub(super) key: CoseKey,
    /// The key's bytes, as they were sent.
    pub(super) key_bytes: Vec<u8>,
}

impl AuthenticatorData {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Reason> {
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(Reason::Malformed)?;
        let (flags, rest) = rest.split_first().ok_or(Reason::Malformed)?;
        let (sign_count, mut rest) = rest.split_first_chunk::<4>().ok_or(Reason::Malformed)?;
        let mut attested = None;
        if flags & ATTESTED != 0 {
            let (found, after) = Attested::parse(rest)?;
            attested = Some(found);
            rest = after;
        }
        let mut reader = Reader::new(rest);
        if flags & EXTENSIONS != 0 {
            let mut map = reader;
            map.map()?;
            reader.skip()?;
        }
        reader.end()?;
        Ok(Self {
            rp_id_hash: *rp_id_hash,
            flags: *flags,
            sign_count: u32::from_be_bytes(*sign_count),
            attested,
        })
    }

    pub(super) const fn user_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }

    /// Whether it is for this site, and somebody was there.
    pub(super) fn check(&self, policy: &Policy) -> Result<(), Reason> {
        if self.rp_id_hash != sha256(policy.rp_id.as_bytes()) {
            return Err(Reason::RpId);
        }
        if self.flags & USER_PRESENT == 0 {
            return Err(Reason::UserAbsent);
        }
        if policy.require_user_verification && !self.user_verified() {
            return Err(Reason::UserNotVerified);
        }
        // Only what can be backed up can have been.
        if self.flags & BACKED_UP != 0 && self.flags & BACKUP_ELIGIBLE == 0 {
            return Err(Reason::Malformed);
        }
        Ok(())
    }
}

impl Attested {
    fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Reason> {
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(Reason::Malformed)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(Reason::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if !(1..=MAX_CREDENTIAL_ID).contains(&length) {
            return Err(Reason::Malformed);
        }
        let (credential_id, rest) = rest.split_at_checked(length).ok_or(Reason::Malformed)?;
        let mut reader = Reader::new(rest);
        let key = CoseKey::read(&mut reader)?;
        let after = reader.rest();
        let used = rest.len().saturating_sub(after.len());
        let key_bytes = rest.get(..used).ok_or(Reason::Malformed)?.to_vec();
        let attested = Self {
            aaguid: *aaguid,
            credential_id: credential_id.to_vec(),
            key,
            key_bytes,
        };
        Ok((attested, after))
    }
}
