//! Payouts, and the earnings that they pay.

use super::{RFC3339, rows};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRecord {
    /// The payout.
    pub id: Uuid,
    /// Whose earnings.
    pub influencer: Uuid,
    /// Who is paid.
    pub user: Uuid,
    /// How.
    pub method: String,
    /// What leaves the payable balance, base units.
    pub amount: i64,
    /// The fees, base units.
    pub fees: i64,
    /// What arrives, base units.
    pub net: i64,
    /// What happened to it, in order.
    pub changes: Vec<PayoutChange>,
}

/// Something that happened to a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutChange {
    /// The payout's version after it.
    pub version: i64,
    /// The state after it.
    pub state: String,
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// When, RFC 3339.
    pub at: String,
}

/// An earning, and how much of it a payout pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    /// The distribution.
    pub distribution: Uuid,
    /// What kind of thing was earned.
    pub source: String,
    /// Which one.
    pub source_ref: String,
    /// The influencer's part, base units.
    pub amount: i64,
    /// Of that, what the payout pays.
    pub paid: i64,
    /// The transaction that gave it.
    pub transaction_id: Uuid,
    /// The transaction that made it payable, if it was held.
    pub release_id: Option<Uuid>,
    /// When it was distributed, RFC 3339.
    pub at: String,
}

impl Earning {
    pub(super) fn transactions(&self) -> impl Iterator<Item = Uuid> {
        std::iter::once(self.transaction_id).chain(self.release_id)
    }
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<PayoutRecord>, DbErr> {
    let sql = "SELECT id, influencer_id, user_id, method, amount, platform_fee + processing_fee AS fees, net \
               FROM payouts WHERE id = $1";
    let found = rows(connection, sql, vec![id.into()]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT version, to_state, actor, reason, to_char(created_at AT TIME ZONE 'UTC', {RFC3339}) AS at \
         FROM payout_events WHERE payout_id = $1 ORDER BY version"
    );
    let changes = rows(connection, &sql, vec![id.into()]).await?;
    Ok(Some(PayoutRecord {
        id,
        influencer: row.try_get("", "influencer_id")?,
        user: row.try_get("", "user_id")?,
        method: row.try_get("", "method")?,
        amount: row.try_get("", "amount")?,
        fees: row.try_get("", "fees")?,
        net: row.try_get("", "net")?,
        changes: changes.iter().map(change).collect::<Result<_, _>>()?,
    }))
}

fn change(row: &QueryResult) -> Result<PayoutChange, DbErr> {
    Ok(PayoutChange {
        version: row.try_get("", "version")?,
        state: row.try_get("", "to_state")?,
        actor: row.try_get("", "actor")?,
        reason: row.try_get("", "reason")?,
        at: row.try_get("", "at")?,
    })
}

/// None of a payout that was called off, turned down or failed. What became payable first is paid first: the payout pays the `amount` units of all that was ever credited to the
/// payable account which follow those that were debited before it.
pub(super) async fn earnings(
    connection: &impl ConnectionTrait,
    payout: Uuid,
) -> Result<Vec<Earning>, DbErr> {
    let sql = format!(
        "WITH payout AS ( \
             SELECT p.amount, a.id AS account, o.id AS booked \
             FROM payouts p \
                 JOIN ledger_account a ON a.kind = 'influencer:payable' AND a.owner = p.user_id \
                     AND a.subject = p.influencer_id \
                 LEFT JOIN ledger_tx r ON r.kind = 'payout_requested' AND r.source_ref = p.id::text \
                 LEFT JOIN ledger_tx o ON o.pending_id = r.id AND o.phase = 'post_pending' \
             WHERE p.id = $1 AND p.state NOT IN ('cancelled', 'rejected', 'failed') \
         ), taken AS ( \
             SELECT coalesce(sum(e.amount), 0) AS before \
             FROM payout p JOIN ledger_entry e ON e.account_id = p.account AND e.side = 'debit' \
             WHERE p.booked IS NULL OR e.account_version < ( \
                 SELECT own.account_version FROM ledger_entry own \
                 WHERE own.tx_id = p.booked AND own.account_id = p.account) \
         ), credits AS ( \
             SELECT e.tx_id, e.amount, e.account_version, \
                 sum(e.amount) OVER (ORDER BY e.account_version) AS until \
             FROM payout p JOIN ledger_entry e ON e.account_id = p.account AND e.side = 'credit' \
         ), paid AS ( \
             SELECT c.tx_id, c.account_version, \
                 (least(c.until, t.before + p.amount) - greatest(c.until - c.amount, t.before))::bigint AS paid \
             FROM credits c, taken t, payout p \
             WHERE c.until > t.before AND c.until - c.amount < t.before + p.amount \
         ) \
         SELECT d.id, d.source, d.source_ref, d.influencer_share, paid.paid, d.transaction_id, \
             h.release_transaction_id, to_char(d.distributed_at AT TIME ZONE 'UTC', {RFC3339}) AS at \
         FROM paid LEFT JOIN held_earnings h ON h.release_transaction_id = paid.tx_id \
             JOIN distributions d ON d.transaction_id = coalesce(h.transaction_id, paid.tx_id) \
         ORDER BY paid.account_version"
    );
    let found = rows(connection, &sql, vec![payout.into()]).await?;
    let read = |row: &QueryResult| {
        Ok(Earning {
            distribution: row.try_get("", "id")?,
            source: row.try_get("", "source")?,
            source_ref: row.try_get("", "source_ref")?,
            amount: row.try_get("", "influencer_share")?,
            paid: row.try_get("", "paid")?,
            transaction_id: row.try_get("", "transaction_id")?,
            release_id: row.try_get("", "release_transaction_id")?,
            at: row.try_get("", "at")?,
        })
    };
    found.iter().map(read).collect()
}
