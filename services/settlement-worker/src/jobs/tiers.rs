//! Tiers follow from what is staked. What others have to know of an influencer's tier is kept and told here.

use crate::metrics::TIER_CHANGES;
use crate::state::AppState;
use bus::{BusError, Event};
use contracts::event::TierChanged;
use domain::Amount;
use domain::staking::Tier;
use failpoint::Point;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement,
    TransactionTrait as _, Value,
};
use uuid::Uuid;

/// Influencers that are looked at in one statement.
const PAGE: i64 = 500;

pub(super) async fn run(state: AppState) -> Result<(), BusError> {
    let db = &state.db;
    let mut after = Uuid::nil();
    loop {
        let sql = "SELECT i.id, i.tier, p.total_staked \
                   FROM influencers i JOIN staking_pools p ON p.influencer_id = i.id \
                   WHERE i.id > $1 ORDER BY i.id LIMIT $2";
        let rows = db
            .query_all_raw(statement(sql, [after.into(), PAGE.into()]))
            .await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.try_get("", "id")?;
        for row in &rows {
            if Standing::read(row)?.change().is_some() {
                change(db, row.try_get("", "id")?).await?;
            }
        }
    }
}

/// Looks again, with the row locked, and writes and tells what has changed.
async fn change(db: &DatabaseConnection, influencer: Uuid) -> Result<(), BusError> {
    let transaction = db.begin().await?;
    let sql = "SELECT i.tier, p.total_staked \
               FROM influencers i JOIN staking_pools p ON p.influencer_id = i.id \
               WHERE i.id = $1 FOR NO KEY UPDATE OF i";
    let row = transaction
        .query_one_raw(statement(sql, [influencer.into()]))
        .await?;
    let standing = row.as_ref().map(Standing::read).transpose()?;
    let Some((standing, to)) = standing.and_then(|now| Some((now, now.change()?))) else {
        transaction.rollback().await?;
        return Ok(());
    };
    let sql = "UPDATE influencers SET tier = $2, tier_changed_at = now() WHERE id = $1";
    let values = [influencer.into(), to.as_str().into()];
    transaction.execute_raw(statement(sql, values)).await?;
    let fact = TierChanged {
        influencer_id: influencer,
        from: standing.tier.into(),
        to: to.into(),
        total_staked: standing.total_staked,
    };
    let event = Event::new(format!("influencer:{influencer}"), &fact)?;
    bus::publish(&transaction, event).await?;
    failpoint::here(Point::TierBeforeCommit);
    transaction.commit().await?;
    failpoint::here(Point::TierAfterCommit);
    metrics::counter!(TIER_CHANGES).increment(1);
    Ok(())
}

/// What is known of an influencer, and what is so.
#[derive(Debug, Clone, Copy)]
struct Standing {
    tier: Tier,
    total_staked: Amount,
}

impl Standing {
    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let malformed = |what: &str| DbErr::Type(format!("{what} of an influencer"));
        let tier: String = row.try_get("", "tier")?;
        let units: i64 = row.try_get("", "total_staked")?;
        Ok(Self {
            tier: Tier::from_text(&tier).ok_or_else(|| malformed("tier"))?,
            total_staked: Amount::try_from(units).map_err(|_| malformed("total_staked"))?,
        })
    }

    /// The tier that it should be, if it is not.
    fn change(self) -> Option<Tier> {
        let right = Tier::of(self.total_staked);
        (right != self.tier).then_some(right)
    }
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
