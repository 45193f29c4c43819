//! Influencers, their pools, and who has staked there.

mod distribute;
mod effects;
mod influencers;
mod lock;
mod pools;
mod search;
mod users;

pub use distribute::{Distribution, Earning, Source, distribute};
pub use effects::{Staker, claim, stake, unstake};
pub use influencers::{NewInfluencer, change, create};
pub use pools::details;
pub use search::{Search, SortBy, search};
pub use users::{history, stakes, whose};

use contracts::percent::Percent;
use domain::Amount;
use domain::staking::{Apy, RevenueShare, Tier};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use time::OffsetDateTime;

/// Of the pool `p`: `⌊what its stakers were given in 30 days × 10^4 / total staked⌋`, as [`Apy`] wants it.
const MONTH_RATIO: &str = "least(coalesce(div((SELECT sum(d.staker_share) FROM distributions d \
     WHERE d.pool_id = p.id AND d.distributed_at > now() - interval '30 days') * 10000, \
     nullif(p.total_staked, 0)), 0), 1000000)::bigint";

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

async fn one(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    db.query_one_raw(statement(sql, values)).await
}

fn amount(row: &QueryResult, column: &str) -> Result<Amount, DbErr> {
    let units: i64 = row.try_get("", column)?;
    Amount::try_from(units).map_err(malformed)
}

/// A number that is not below zero.
fn count(row: &QueryResult, column: &str) -> Result<u32, DbErr> {
    let number: i32 = row.try_get("", column)?;
    u32::try_from(number).map_err(malformed)
}

/// A `numeric` that was selected as text.
fn wide(row: &QueryResult, column: &str) -> Result<u128, DbErr> {
    let text: String = row.try_get("", column)?;
    text.parse().map_err(malformed)
}

fn moment(row: &QueryResult, column: &str) -> Result<String, DbErr> {
    let at: OffsetDateTime = row.try_get("", column)?;
    Ok(service::clock::rfc3339(at))
}

/// A wallet as strangers see it.
fn short_wallet(row: &QueryResult) -> Result<String, DbErr> {
    let wallet: String = row.try_get("", "wallet_address")?;
    let start: String = wallet.chars().take(8).collect();
    Ok(format!("{start}..."))
}

/// The yield of a row that has [`MONTH_RATIO`] as `ratio`.
fn apy(row: &QueryResult) -> Result<Percent, DbErr> {
    let ratio: i64 = row.try_get("", "ratio")?;
    let ratio = u128::try_from(ratio).map_err(malformed)?;
    Ok(percent(Apy::of_month_ratio(ratio)))
}

const fn percent(apy: Apy) -> Percent {
    Percent::from_bps(apy.bps())
}

/// The share in force of a row that has `revenue_share_bps` and `total_staked`.
fn share_in_force(row: &QueryResult) -> Result<RevenueShare, DbErr> {
    let bps: i32 = row.try_get("", "revenue_share_bps")?;
    let promised = RevenueShare::try_from(bps).map_err(malformed)?;
    Ok(promised.within(Tier::of(amount(row, "total_staked")?)))
}

fn share_percent(row: &QueryResult) -> Result<Percent, DbErr> {
    share_in_force(row).map(|share| Percent::from_bps(share.bps().into()))
}

fn malformed(error: impl std::fmt::Display) -> DbErr {
    DbErr::Type(error.to_string())
}
