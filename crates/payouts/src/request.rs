//! Asking for a payout.

use crate::change::{self, Actor, With};
use crate::payout::{COLUMNS, Method, Payout, lock};
use crate::sql::one;
use crate::{PayoutError, policy};
use domain::Amount;
use domain::payout::Change;
use failpoint::Point;
use ledger::account::{self, Account};
use ledger::{Influencer, Posting, TxKind, phase};
use sea_orm::DatabaseTransaction;
use service::clock;
use time::OffsetDateTime;
use uuid::Uuid;

/// Whose earnings, and who is paid for them.
pub type Payee = Influencer;

/// A payout to be.
#[derive(Debug, Clone)]
pub struct NewPayout {
    /// Made from what causes it.
    pub id: Uuid,
    /// Whose earnings.
    pub payee: Payee,
    /// How much leaves the payable balance.
    pub amount: Amount,
    /// How it is paid.
    pub method: Method,
    /// Where to, if the method needs one.
    pub wallet_address: Option<String>,
    /// The time of the run that makes it; `None` when a person asks.
    pub due: Option<OffsetDateTime>,
}

/// Makes a payout: sets its money aside, and approves it if the policy needs nobody for that. Asked for the same again it
/// gives what there is.
///
/// # Errors
/// [`PayoutError::OtherRequest`] when the id is that of another payout, [`PayoutError::TooSmall`],
/// [`PayoutError::AlreadyOpen`], the ledger's insufficient funds or frozen account. The transaction is then of no more use.
pub async fn request(
    tx: &DatabaseTransaction,
    new: &NewPayout,
    actor: &Actor,
) -> Result<Payout, PayoutError> {
    // Before anything is asked of it: what was made under other terms is what it is.
    if let Some(made) = before(tx, new).await? {
        return Ok(made);
    }
    let terms = policy::current(tx).await?;
    let quote = terms
        .policy
        .quote(new.amount)
        .map_err(|reason| PayoutError::TooSmall {
            reason,
            minimum: terms.policy.minimum(),
        })?;
    // Of two at once, the second waits here until the first is committed or gone.
    let sql = format!(
        "INSERT INTO payouts (id, influencer_id, user_id, method, wallet_address, policy_id, amount, \
             platform_fee, processing_fee, net, due_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING {COLUMNS}"
    );
    let values = [
        new.id.into(),
        new.payee.id.into(),
        new.payee.user.into(),
        new.method.as_str().into(),
        new.wallet_address.clone().into(),
        terms.id.into(),
        quote.amount.to_i64().into(),
        quote.platform_fee.to_i64().into(),
        quote.processing_fee.to_i64().into(),
        quote.net.to_i64().into(),
        new.due.into(),
    ];
    let Some(row) = one(tx, &sql, values).await? else {
        return before(tx, new).await?.ok_or(PayoutError::AlreadyOpen);
    };
    let payout = Payout::read(&row)?;
    failpoint::here(Point::PayoutRequestInserted);
    set_aside(tx, &payout).await?;
    failpoint::here(Point::PayoutRequestReserved);
    change::record(tx, &payout, None, actor, None).await?;
    let payout = approve_if_small(tx, payout).await?;
    failpoint::here(Point::PayoutRequestRecorded);
    Ok(payout)
}

/// The same payout, if it was made before.
async fn before(tx: &DatabaseTransaction, new: &NewPayout) -> Result<Option<Payout>, PayoutError> {
    let made = match lock(tx, new.id).await {
        Err(PayoutError::NotFound) => return Ok(None),
        found => found?,
    };
    let same = made.influencer == new.payee
        && made.quote.amount == new.amount
        && made.method == new.method
        && made.wallet_address == new.wallet_address;
    same.then_some(Some(made)).ok_or(PayoutError::OtherRequest)
}

/// What the payout's own terms say of its approval. What the influencer was paid, or is to be paid, within a day counts
/// together, so that nobody gets past the limit in small steps. All of that is to be seen here: another payout of the same
/// influencer cannot be made at the same time, since one at most is open.
pub(crate) async fn approve_if_small(
    tx: &DatabaseTransaction,
    payout: Payout,
) -> Result<Payout, PayoutError> {
    let sql = "SELECT approval_limit >= ( \
                   SELECT sum(amount) FROM payouts p WHERE p.id = $3 \
                       OR (p.influencer_id = $2 AND p.requested_at > now() - interval '24 hours' \
                           AND p.state NOT IN ('cancelled', 'rejected', 'failed')) \
               ) AS small FROM payout_policies WHERE id = $1";
    let values = [
        payout.policy_id.into(),
        payout.influencer.id.into(),
        payout.id.into(),
    ];
    let row = one(tx, sql, values).await?;
    let small = row.map(|row| row.try_get("", "small")).transpose()?;
    if small != Some(true) {
        return Ok(payout);
    }
    let by = Actor::Policy(payout.policy_id);
    change::apply(tx, &payout, Change::Approve, &by, With::default()).await
}

async fn set_aside(tx: &DatabaseTransaction, payout: &Payout) -> Result<(), PayoutError> {
    let accounts = (
        Account::InfluencerPayable(payout.influencer),
        Account::InfluencerReserved(payout.influencer),
    );
    account::open(tx, &[accounts.0, accounts.1]).await?;
    let posting = Posting::transfer(
        TxKind::PayoutRequested,
        payout.id.to_string(),
        clock::now_ms(),
        accounts,
        payout.quote.amount,
    )?;
    phase::reserve(tx, &posting, None).await?;
    Ok(())
}
