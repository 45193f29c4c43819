//! The terms in force.

use crate::PayoutError;
use crate::change::Actor;
use crate::sql::{amount, malformed, one};
use domain::payout::Policy;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use time::OffsetDateTime;

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

/// Puts `policy` in force. What was asked for before keeps its terms.
///
/// # Errors
/// When the database fails.
pub async fn append(
    connection: &impl ConnectionTrait,
    policy: &Policy,
    actor: &Actor,
    reason: &str,
) -> Result<Terms, PayoutError> {
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
    let row = one(connection, sql, values).await?;
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
