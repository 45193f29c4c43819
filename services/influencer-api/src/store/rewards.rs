//! Credited VAUs of a user.

use super::values::from_column;
use contracts::account::Reward;
use domain::{Amount, SiteId, VauId};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

/// A place in a list of a user's, newest first: everything before it has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

impl Cursor {
    /// The start of the list.
    pub const START: Self = Self(i64::MAX);

    /// After the row `seq`.
    pub(super) const fn at(seq: i64) -> Self {
        Self(seq)
    }

    /// Rows below this come next.
    pub(super) const fn place(self) -> i64 {
        self.0
    }
}

impl TryFrom<&str> for Cursor {
    type Error = std::num::ParseIntError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        // One text for each place: no sign, no capitals; twelve digits are more rows than there can be.
        let is_digit = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        let digits = if text.len() <= 12 && text.bytes().all(is_digit) {
            text
        } else {
            ""
        };
        i64::from_str_radix(digits, 36).map(Self)
    }
}

impl std::fmt::Display for Cursor {
    /// Base 36, so that nobody takes it for a count.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut digits = Vec::new();
        let mut rest = self.0.unsigned_abs();
        while rest > 0 || digits.is_empty() {
            digits.push(
                u32::try_from(rest % 36)
                    .ok()
                    .and_then(|d| char::from_digit(d, 36)),
            );
            rest /= 36;
        }
        f.write_str(&digits.into_iter().rev().flatten().collect::<String>())
    }
}

/// Up to `limit` rewards of `uid` after `cursor`, newest first, and where to go on.
pub async fn page(
    db: &impl ConnectionTrait,
    uid: Uuid,
    cursor: Cursor,
    limit: u8,
) -> Result<(Vec<Reward>, Option<Cursor>), DbErr> {
    let sql = "SELECT seq, vau_id, site_id, earned, trust_score, accepted_at, transaction_id \
               FROM vaus WHERE user_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";
    // One more than asked for tells whether there is a next page.
    let values = [uid.into(), cursor.0.into(), (i64::from(limit) + 1).into()];
    let rows = db
        .query_all_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
        .await?;
    let page = rows.iter().take(limit.into());
    let rewards = page.clone().map(read).collect::<Result<Vec<_>, _>>()?;
    let next = match page.last() {
        Some(last) if rows.len() > usize::from(limit) => Some(Cursor(last.try_get("", "seq")?)),
        _ => None,
    };
    Ok((rewards, next))
}

fn read(row: &QueryResult) -> Result<Reward, DbErr> {
    let malformed = |error: domain::IdError| DbErr::Type(error.to_string());
    let vau_id: String = row.try_get("", "vau_id")?;
    let site_id: String = row.try_get("", "site_id")?;
    let earned: i64 = row.try_get("", "earned")?;
    let trust_score: i16 = row.try_get("", "trust_score")?;
    let accepted_at: OffsetDateTime = row.try_get("", "accepted_at")?;
    Ok(Reward {
        vau_id: VauId::try_from(vau_id.as_str()).map_err(malformed)?,
        site_id: SiteId::try_from(site_id.as_str()).map_err(malformed)?,
        earned: Amount::try_from(earned).map_err(|e| DbErr::Type(e.to_string()))?,
        trust_score: u8::try_from(trust_score).map_err(|e| DbErr::Type(e.to_string()))?,
        accepted_at: from_column(accepted_at),
        transaction_id: row.try_get("", "transaction_id")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        for n in [0, 1, 35, 36, 1_000_000, 4_738_381_338_321_616_895] {
            assert_eq!(
                Cursor::try_from(Cursor(n).to_string().as_str()),
                Ok(Cursor(n))
            );
        }
        assert!(Cursor::try_from("").is_err());
        for bad in ["~", "+1", "-1", "A", "1000000000000"] {
            assert!(Cursor::try_from(bad).is_err(), "{bad}");
        }
    }
}
