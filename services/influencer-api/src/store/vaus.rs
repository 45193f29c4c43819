//! What became of a VAU.

use super::values::from_column;
use contracts::vau::{VauState, VauStatus};
use domain::{VauId, WalletAddress};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// A VAU of `user`: counted, or set aside.
pub async fn status(
    db: &impl ConnectionTrait,
    user: WalletAddress,
    vau_id: VauId,
) -> Result<Option<VauStatus>, DbErr> {
    let sql = "SELECT earned, trust_score, accepted_at, true AS counted FROM vaus \
               WHERE vau_id = $1 AND wallet_address = $2 \
               UNION ALL \
               SELECT 0::bigint, 0::smallint, coalesce(q.accepted_at, q.received_at), false FROM vau_quarantine q \
               WHERE q.vau_id = $1 AND q.wallet_address = $2 \
               LIMIT 1";
    let values = [vau_id.to_string().into(), user.to_string().into()];
    let select = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let Some(row) = db.query_one_raw(select).await? else {
        return Ok(None);
    };
    let unreadable = |_| DbErr::Type("a row of vaus is out of range".into());
    let (earned, trust): (i64, i16) = (row.try_get("", "earned")?, row.try_get("", "trust_score")?);
    Ok(Some(VauStatus {
        vau_id,
        state: if row.try_get("", "counted")? {
            VauState::Counted
        } else {
            VauState::Quarantined
        },
        earned: earned
            .try_into()
            .map_err(|_| DbErr::Type("a row of vaus is out of range".into()))?,
        trust_score: u8::try_from(trust).map_err(unreadable)?,
        timestamp: from_column(row.try_get("", "accepted_at")?),
    }))
}
