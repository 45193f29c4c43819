//! What was earned in a period, and what a payout of it would cost.

use super::{amount, malformed, statement};
use ::payouts::{Payee, Terms};
use contracts::payout::{PayoutCalculation, PayoutDeductions, PayoutEarnings, PayoutItem, Period};
use domain::Amount;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use service::clock;
use time::OffsetDateTime;

/// From the one moment on, and before the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment of it.
    pub from: OffsetDateTime,
    /// The first moment after it.
    pub before: OffsetDateTime,
}

/// Earnings are the influencer's parts of distributions: those of commissions are conversions', those of deposits staking
/// rewards. Nothing pays bonuses.
pub async fn calculate(
    db: &impl ConnectionTrait,
    payee: Payee,
    span: Span,
    terms: &Terms,
) -> Result<PayoutCalculation, DbErr> {
    // What a pool earned over its life fits an amount.
    let sql = "SELECT d.id, d.source, d.influencer_share AS amount, d.distributed_at, \
                   coalesce(sum(d.influencer_share) FILTER (WHERE d.source = 'commission') OVER (), 0)::bigint \
                       AS conversions, \
                   coalesce(sum(d.influencer_share) FILTER (WHERE d.source <> 'commission') OVER (), 0)::bigint \
                       AS rewards \
               FROM distributions d JOIN staking_pools p ON p.id = d.pool_id \
               WHERE p.influencer_id = $1 AND d.distributed_at >= $2 AND d.distributed_at < $3 \
                   AND d.influencer_share > 0 \
               ORDER BY d.distributed_at DESC, d.id DESC LIMIT 100";
    let values = [payee.id.into(), span.from.into(), span.before.into()];
    let rows = db.query_all_raw(statement(sql, values)).await?;
    let of = |column: &str| -> Result<Amount, DbErr> {
        rows.first()
            .map_or(Ok(Amount::ZERO), |row| amount(row, column))
    };
    let (conversions, staking_rewards) = (of("conversions")?, of("rewards")?);
    let total = conversions
        .checked_add(staking_rewards)
        .map_err(malformed)?;
    let platform_fee = terms.policy.platform_fee(total);
    let processing_fee = if total.is_zero() {
        Amount::ZERO
    } else {
        terms.policy.processing_fee()
    };
    let fees = platform_fee
        .checked_add(processing_fee)
        .map_err(malformed)?;
    Ok(PayoutCalculation {
        influencer_id: payee.id,
        period: Period {
            start: clock::rfc3339(span.from),
            end: clock::rfc3339(span.before),
        },
        earnings: PayoutEarnings {
            conversions,
            staking_rewards,
            bonuses: Amount::ZERO,
            total,
        },
        deductions: PayoutDeductions {
            platform_fee,
            processing_fee,
            total: fees,
        },
        net_amount: total.checked_sub(fees).unwrap_or(Amount::ZERO),
        items: rows.iter().map(item).collect::<Result<_, _>>()?,
    })
}

fn item(row: &QueryResult) -> Result<PayoutItem, DbErr> {
    let source: String = row.try_get("", "source")?;
    let (kind, description) = if source == "commission" {
        (
            "conversion",
            "Commission of a conversion, less the stakers' part",
        )
    } else {
        (
            "staking_reward",
            "Earning of the pool, less the stakers' part",
        )
    };
    Ok(PayoutItem {
        kind: kind.to_owned(),
        amount: amount(row, "amount")?,
        description: description.to_owned(),
        reference_id: row.try_get("", "id")?,
        created_at: clock::rfc3339(row.try_get("", "distributed_at")?),
    })
}
