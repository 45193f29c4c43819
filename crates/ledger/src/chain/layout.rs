//! The bytes that a seal is over. The layout is laid down in `docs/reference/ledger.md`; this is a second
//! implementation beside the one in the database, so that a change to either is noticed.

use crate::account::Side;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What the bytes of every transaction begin with; its SHA-256 stands before the first seal.
pub const GENESIS: &[u8] = b"twist-ledger-v1";

/// A transaction as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) source_ref: String,
    pub(super) phase: String,
    pub(super) pending_id: Option<Uuid>,
    pub(super) reverses: Option<Uuid>,
    /// Microseconds since 1970, as all times here.
    pub(super) effective_at: i64,
    pub(super) recorded_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) entries: Vec<Line>,
}

/// One entry, in the order of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) account: Uuid,
    /// Zero for what is only pending.
    pub(super) version: i64,
    pub(super) side: Side,
    pub(super) amount: i64,
}

impl Sealed {
    /// The hash of the seal that follows one with the hash `prev`.
    pub(super) fn hash_after(&self, prev: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(prev);
        hash.update(self.bytes());
        hash.finalize().into()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = GENESIS.to_vec();
        out.extend(self.id.as_bytes());
        for text in [&self.kind, &self.source_ref, &self.phase] {
            out.extend(count(text.len()));
            out.extend(text.as_bytes());
        }
        for id in [self.pending_id, self.reverses] {
            out.extend(id.unwrap_or_default().as_bytes());
        }
        let expires_at = self.expires_at.unwrap_or(i64::MIN);
        for time in [self.effective_at, self.recorded_at, expires_at] {
            out.extend(time.to_be_bytes());
        }
        out.extend(count(self.entries.len()));
        for line in &self.entries {
            out.extend(line.account.as_bytes());
            out.extend(line.version.to_be_bytes());
            out.push(match line.side {
                Side::Debit => 0,
                Side::Credit => 1,
            });
            out.extend(line.amount.to_be_bytes());
        }
        out
    }
}

/// The database holds nothing that long.
fn count(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The vector of `docs/reference/ledger.md`.
    #[test]
    fn the_layout_never_changes() {
        let line = |n, version, side| Line {
            account: Uuid::from_u128(n),
            version,
            side,
            amount: 5,
        };
        let tx = Sealed {
            id: Uuid::from_u128(1),
            kind: "vau_reward".to_owned(),
            source_ref: "00000000000000000000000000000001".to_owned(),
            phase: "posted".to_owned(),
            pending_id: None,
            reverses: None,
            effective_at: 1_767_225_600_000_000,
            recorded_at: 1_767_225_600_000_001,
            expires_at: None,
            entries: vec![line(2, 1, Side::Debit), line(3, 7, Side::Credit)],
        };
        let genesis: [u8; 32] = Sha256::digest(GENESIS).into();
        assert_eq!(
            hex(&genesis),
            "854ede5ca2fdcc275f37d81897bceae7ea67e1a8408f993cd8e466998bec80fb"
        );
        assert_eq!(
            hex(&tx.hash_after(&genesis)),
            "b688a114a4c82a5d256d5500e9b5b2d61814bb49d19132ea9fb970beb3e63a59"
        );
    }
}
