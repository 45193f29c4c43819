//! Entries of a user's ledger accounts.

use contracts::account::{LedgerEntry, LedgerSide};
use domain::Amount;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use service::clock;
use time::OffsetDateTime;
use uuid::Uuid;

/// A place in the list of a user's entries: everything before it has been read. Names a transaction and
/// a line of it, which never move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    seq: i64,
    ordinal: i32,
}

impl Cursor {
    /// The start of the list.
    pub const START: Self = Self {
        seq: i64::MAX,
        ordinal: i32::MAX,
    };
}

/// The text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub struct NotACursor;

impl TryFrom<&str> for Cursor {
    type Error = NotACursor;

    fn try_from(text: &str) -> Result<Self, NotACursor> {
        let (seq, ordinal) = text.split_once('.').ok_or(NotACursor)?;
        let cursor = Self {
            seq: i64::from_str_radix(seq, 16).map_err(|_| NotACursor)?,
            ordinal: i32::from_str_radix(ordinal, 16).map_err(|_| NotACursor)?,
        };
        // One text for each place: no sign, no capitals, no leading zero.
        if cursor.to_string() == text && !text.contains('-') {
            Ok(cursor)
        } else {
            Err(NotACursor)
        }
    }
}

impl std::fmt::Display for Cursor {
    /// Hexadecimal, so that nobody takes it for a count.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}.{:x}", self.seq, self.ordinal)
    }
}

/// Up to `limit` entries of `uid` after `cursor`, newest first, and where to go on.
///
/// On one account the versions and the transactions' numbers rise together, since a number is taken while
/// the account is locked; so each account is read backwards only as far as needed.
pub async fn page(
    db: &impl ConnectionTrait,
    uid: Uuid,
    cursor: Cursor,
    limit: u8,
) -> Result<(Vec<LedgerEntry>, Option<Cursor>), DbErr> {
    let sql = "SELECT l.seq, l.ordinal, l.tx_id, l.kind, l.source_ref, l.reverses, l.effective_at, \
                   l.recorded_at, l.side::text AS side, l.amount, l.side = a.normal_side AS raises, \
                   a.kind AS account, a.subject \
               FROM ledger_account a, LATERAL ( \
                   SELECT t.seq, e.ordinal, e.tx_id, t.kind, t.source_ref, t.reverses, t.effective_at, \
                       t.recorded_at, e.side, e.amount \
                   FROM ledger_entry e JOIN ledger_tx t ON t.id = e.tx_id \
                   WHERE e.account_id = a.id AND (t.seq, e.ordinal) < ($2, $3) \
                   ORDER BY e.account_version DESC LIMIT $4 \
               ) l \
               WHERE a.owner = $1 ORDER BY l.seq DESC, l.ordinal DESC LIMIT $4";
    let values = [
        uid.into(),
        cursor.seq.into(),
        cursor.ordinal.into(),
        // One more than asked for tells whether there is a next page.
        (i64::from(limit) + 1).into(),
    ];
    let rows = db
        .query_all_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
        .await?;
    let page = rows.iter().take(limit.into());
    let entries = page.clone().map(read).collect::<Result<Vec<_>, _>>()?;
    let next = match page.last() {
        Some(last) if rows.len() > usize::from(limit) => Some(Cursor {
            seq: last.try_get("", "seq")?,
            ordinal: last.try_get("", "ordinal")?,
        }),
        _ => None,
    };
    Ok((entries, next))
}

fn read(row: &QueryResult) -> Result<LedgerEntry, DbErr> {
    let side: String = row.try_get("", "side")?;
    let amount: i64 = row.try_get("", "amount")?;
    let raises: bool = row.try_get("", "raises")?;
    let effective_at: OffsetDateTime = row.try_get("", "effective_at")?;
    let recorded_at: OffsetDateTime = row.try_get("", "recorded_at")?;
    Ok(LedgerEntry {
        transaction_id: row.try_get("", "tx_id")?,
        kind: row.try_get("", "kind")?,
        account: row.try_get("", "account")?,
        subject: row.try_get("", "subject")?,
        side: if side == "debit" {
            LedgerSide::Debit
        } else {
            LedgerSide::Credit
        },
        amount: Amount::try_from(amount).map_err(|e| DbErr::Type(e.to_string()))?,
        balance_effect: if raises {
            amount.to_string()
        } else {
            format!("-{amount}")
        },
        source_ref: row.try_get("", "source_ref")?,
        reverses: row.try_get("", "reverses")?,
        effective_at: clock::rfc3339(effective_at),
        recorded_at: clock::rfc3339(recorded_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        for (seq, ordinal) in [(0, 1), (1, 16), (i64::MAX, i32::MAX)] {
            let cursor = Cursor { seq, ordinal };
            assert_eq!(Cursor::try_from(cursor.to_string().as_str()), Ok(cursor));
        }
        for bad in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "1.1.1",
            "+1.1",
            "-1.1",
            "1.-1",
            "A.1",
            "01.1",
            "1.01",
            "1.g",
            "8000000000000000.1",
            "1.80000000",
            " 1.1",
        ] {
            assert!(Cursor::try_from(bad).is_err(), "{bad}");
        }
    }
}
