//! Lists of payouts.

use super::{count, malformed, one, statement, view};
use crate::store::values::texts;
use ::payouts::{COLUMNS, Payout};
use contracts::payout::{self as wire, PayoutHistory};
use domain::payout::{State, Status};
use sea_orm::{ConnectionTrait, DbErr, Value};
use time::OffsetDateTime;
use uuid::Uuid;

/// Which payouts, and how many of them.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Of this influencer; `None` for all.
    pub influencer: Option<Uuid>,
    /// In this status.
    pub status: Option<Status>,
    /// Asked for at this time or later.
    pub from: Option<OffsetDateTime>,
    /// Asked for before this time.
    pub before: Option<OffsetDateTime>,
    /// At most so many.
    pub limit: u8,
    /// So many are left out before.
    pub offset: u32,
}

const WHERE: &str = "($1::uuid IS NULL OR influencer_id = $1) AND state = ANY ($2::text[]) \
     AND requested_at >= coalesce($3, '-infinity') AND requested_at < coalesce($4, 'infinity')";

/// The payouts that fit, newest first.
pub async fn history(db: &impl ConnectionTrait, filter: &Filter) -> Result<PayoutHistory, DbErr> {
    let states: Vec<State> = match filter.status {
        Some(status) => status.states().collect(),
        None => State::ALL.to_vec(),
    };
    let values = || -> Vec<Value> {
        vec![
            filter.influencer.into(),
            texts(states.iter().map(|state| state.as_str().to_owned())),
            filter.from.into(),
            filter.before.into(),
        ]
    };
    let sql = format!("SELECT count(*) AS total FROM payouts WHERE {WHERE}");
    let row = one(db, &sql, values()).await?;
    let total = count(&row.ok_or_else(|| malformed("no count"))?, "total")?;
    let sql = format!(
        "SELECT {COLUMNS} FROM payouts WHERE {WHERE} ORDER BY requested_at DESC, id LIMIT $5 OFFSET $6"
    );
    let mut all = values();
    all.push(i64::from(filter.limit).into());
    all.push(i64::from(filter.offset).into());
    let rows = db.query_all_raw(statement(&sql, all)).await?;
    let payouts = rows.iter().map(|row| view(Payout::read(row)?));
    Ok(PayoutHistory {
        payouts: payouts.collect::<Result<_, DbErr>>()?,
        total,
        limit: filter.limit.into(),
        offset: filter.offset,
    })
}

/// The payout `id`, of the user `payee` if one is named.
pub async fn find(
    db: &impl ConnectionTrait,
    id: Uuid,
    payee: Option<Uuid>,
) -> Result<Option<wire::Payout>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payouts WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2)"
    );
    let row = one(db, &sql, [id.into(), payee.into()]).await?;
    row.map(|row| view(Payout::read(&row)?)).transpose()
}
