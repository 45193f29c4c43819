//! The terms in force.

use crate::PayoutError;
use crate::change::Actor;
use crate::sql::{amount, malformed, one, run};
use domain::payout::{Policy, PolicyError};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};
use time::OffsetDateTime;

/// Whoever sets terms holds it until the end of the transaction. `twist pay` in ASCII.
const LOCK: i64 = 0x7477_6973_7470_6179;

/// Terms, and since when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Names them for ever; later ones have larger numbers.
    pub id: i64,
    /// The terms.
    pub policy: Policy,
    /// Who set them.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: OffsetDateTime,
}

/// The terms in force.
///
/// # Errors
/// When the database fails.
pub async fn current(connection: &impl ConnectionTrait) -> Result<Terms, DbErr> {
    let sql = "SELECT id, minimum, platform_fee_bps, processing_fee, approval_limit, holding_seconds, actor, \
                   reason, created_at \
               FROM payout_policies ORDER BY id DESC LIMIT 1";
    let row = one(connection, sql, []).await?;
    read(&row.ok_or_else(|| malformed("no terms for payouts"))?)
}

/// Puts in force what `next` makes of the terms in force. What was asked for before keeps its terms. Of two at once the
/// second waits, and makes its own of what the first has set.
///
/// # Errors
/// [`PayoutError::Policy`] when `next` makes none, or when the database fails.
pub async fn append(
    tx: &DatabaseTransaction,
    next: impl FnOnce(&Policy) -> Result<Policy, PolicyError>,
    actor: &Actor,
    reason: &str,
) -> Result<Terms, PayoutError> {
    run(tx, "SELECT pg_advisory_xact_lock($1)", [LOCK.into()]).await?;
    let policy = next(&current(tx).await?.policy)?;
    let sql = "INSERT INTO payout_policies (minimum, platform_fee_bps, processing_fee, approval_limit, \
                   holding_seconds, actor, reason) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) \
               RETURNING id, minimum, platform_fee_bps, processing_fee, approval_limit, holding_seconds, actor, \
                   reason, created_at";
    let values = [
        policy.minimum().to_i64().into(),
        i32::from(policy.platform_fee_bps()).into(),
        policy.processing_fee().to_i64().into(),
        policy.approval_limit().to_i64().into(),
        i32::try_from(policy.holding_seconds())
            .map_err(malformed)?
            .into(),
        actor.to_string().into(),
        reason.into(),
    ];
    let row = one(tx, sql, values).await?;
    Ok(read(&row.ok_or(DbErr::RecordNotInserted)?)?)
}

fn read(row: &QueryResult) -> Result<Terms, DbErr> {
    let bps: i32 = row.try_get("", "platform_fee_bps")?;
    let holding: i32 = row.try_get("", "holding_seconds")?;
    let policy = Policy::new(
        amount(row, "minimum")?,
        u16::try_from(bps).map_err(malformed)?,
        amount(row, "processing_fee")?,
        amount(row, "approval_limit")?,
        u32::try_from(holding).map_err(malformed)?,
    );
    Ok(Terms {
        id: row.try_get("", "id")?,
        policy: policy.map_err(malformed)?,
        actor: row.try_get("", "actor")?,
        reason: row.try_get("", "reason")?,
        created_at: row.try_get("", "created_at")?,
    })
}
