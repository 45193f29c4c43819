//! Who moves the money of an approved payout.

use crate::PayoutError;
use crate::payout::{Method, Payout};
use domain::Amount;
use domain::payout::Change;
use failpoint::Point;
use ledger::account::{self, Account, Stripe};
use ledger::posting::{self, Leg, Posting};
use ledger::{Cause, TxKind, phase};
use sea_orm::DatabaseTransaction;
use service::clock;
use std::future::Future;
use uuid::Uuid;

/// How far a payout has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// It is paid for good, by this transaction of the ledger.
    Paid(Uuid),
    /// It is further on its way; the rest comes later.
    Step(Change),
    /// It cannot be paid, and that no money moved is proven. Why, for the payee.
    Failed(String),
}

/// Pays payouts of some methods.
pub trait SettlementAdapter: Send + Sync + 'static {
    /// Names it in the history.
    fn name(&self) -> &'static str;

    /// The methods that it pays.
    fn methods(&self) -> &'static [Method];

    /// Does the next step for `payout`, which is approved and locked, in `tx`; what it says becomes of the payout is
    /// written in the same transaction. Whatever is done outside of `tx` may be done again.
    ///
    /// # Errors
    /// When nothing could be done now. The transaction is undone, and it is tried again later.
    fn pay(
        &self,
        tx: &DatabaseTransaction,
        payout: &Payout,
    ) -> impl Future<Output = Result<Payment, PayoutError>> + Send;
}

/// Pays into the payee's available balance, at once and for good.
#[derive(Debug, Clone, Copy, Default)]
pub struct LedgerAdapter;

impl SettlementAdapter for LedgerAdapter {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn methods(&self) -> &'static [Method] {
        &[Method::Ledger]
    }

    async fn pay(&self, tx: &DatabaseTransaction, payout: &Payout) -> Result<Payment, PayoutError> {
        let cause = Cause {
            kind: TxKind::PayoutApproved,
            source_ref: payout.id.to_string(),
            effective_at: clock::now_ms(),
        };
        let posting = payment(payout)?;
        let accounts: Vec<Account> = posting.accounts().collect();
        account::open(tx, &accounts).await?;
        phase::post_pending(tx, payout.reservation(), &cause).await?;
        failpoint::here(Point::PayoutSettlePosted);
        let id = posting.id().as_uuid();
        posting::post(tx, &[posting]).await?;
        failpoint::here(Point::PayoutSettlePaid);
        Ok(Payment::Paid(id))
    }
}

/// From what is set aside to the payee and the platform.
fn payment(payout: &Payout) -> Result<Posting, PayoutError> {
    let quote = &payout.quote;
    let fees = quote.fees().map_err(|_| ledger::LedgerError::Unbalanced)?;
    let mut legs = vec![
        Leg::debit(Account::InfluencerReserved(payout.influencer), quote.amount),
        Leg::credit(Account::UserAvailable(payout.influencer.user), quote.net),
    ];
    // Nothing cannot be posted.
    if fees != Amount::ZERO {
        let platform = Account::PlatformFees(Stripe::of(payout.id));
        legs.push(Leg::credit(platform, fees));
    }
    let source = payout.id.to_string();
    Ok(Posting::new(
        TxKind::PayoutPaid,
        source,
        clock::now_ms(),
        legs,
    )?)
}
