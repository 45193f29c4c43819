//! Payouts counted by when they were asked for. Those that were called off, turned down or failed do not count.

use super::{amount, count, statement};
use contracts::payout::{PayoutAnalytics, PayoutPeriod, PayoutSummary, PayoutsOfPeriod};
use domain::Amount;
use sea_orm::{ConnectionTrait, DbErr};
use time::OffsetDateTime;
use uuid::Uuid;

/// The payouts of `influencer`, or of all, that were asked for from `from` on and before `before`.
pub async fn analytics(
    db: &impl ConnectionTrait,
    influencer: Option<Uuid>,
    (from, before): (OffsetDateTime, OffsetDateTime),
    by: PayoutPeriod,
) -> Result<PayoutAnalytics, DbErr> {
    // An ISO week belongs to the year that most of its days are in, which `IYYY` is.
    let form = match by {
        PayoutPeriod::Day => "YYYY-MM-DD",
        PayoutPeriod::Week => "IYYY-\"W\"IW",
        PayoutPeriod::Month => "YYYY-MM",
    };
    // A sum of more than an amount can be is shown as the largest.
    let sql = "SELECT period, count(*) AS number, least(sum(amount), 9223372036854775807)::bigint AS amount, \
                   div(sum(amount), count(*))::bigint AS average, grouping(period) AS whole \
               FROM (SELECT to_char(requested_at AT TIME ZONE 'UTC', $4) AS period, amount::numeric AS amount \
                   FROM payouts \
                   WHERE ($1::uuid IS NULL OR influencer_id = $1) AND requested_at >= $2 \
                       AND requested_at < $3 AND state NOT IN ('cancelled', 'rejected', 'failed')) AS p \
               GROUP BY GROUPING SETS ((period), ()) HAVING count(*) > 0 ORDER BY period";
    let values = [influencer.into(), from.into(), before.into(), form.into()];
    let mut periods = Vec::new();
    let mut summary = PayoutSummary {
        total_payouts: 0,
        total_amount: Amount::ZERO,
        average_amount: Amount::ZERO,
    };
    for row in db.query_all_raw(statement(sql, values)).await? {
        let number = count(&row, "number")?;
        let whole: i32 = row.try_get("", "whole")?;
        let (sum, average) = (amount(&row, "amount")?, amount(&row, "average")?);
        if whole == 1 {
            summary = PayoutSummary {
                total_payouts: number,
                total_amount: sum,
                average_amount: average,
            };
        } else {
            periods.push(PayoutsOfPeriod {
                period: row.try_get("", "period")?,
                count: number,
                amount: sum,
                average,
            });
        }
    }
    Ok(PayoutAnalytics { periods, summary })
}
