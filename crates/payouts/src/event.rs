//! What is published about payouts.

use crate::payout::Payout;
use bus::{BusError, Event};
use contracts::event::{
    PayoutApproved, PayoutCancelled, PayoutFact, PayoutFailed, PayoutFinalized, PayoutRejected,
    PayoutRequested,
};
use domain::payout::State;
use sea_orm::DatabaseTransaction;

/// Publishes what `payout` has become, if that is told.
pub(crate) async fn publish(tx: &DatabaseTransaction, payout: &Payout) -> Result<(), BusError> {
    let fact = fact(payout);
    let about = format!("payout:{}", payout.id);
    let event = match payout.state {
        State::Requested => Event::new(about, &PayoutRequested(fact)),
        State::Approved => Event::new(about, &PayoutApproved(fact)),
        State::Finalized => Event::new(about, &PayoutFinalized(fact)),
        State::Cancelled => Event::new(about, &PayoutCancelled(fact)),
        State::Rejected => Event::new(about, &PayoutRejected(fact)),
        State::Failed => Event::new(about, &PayoutFailed(fact)),
        _ => return Ok(()),
    };
    bus::publish(tx, event?).await.map(|_| ())
}

fn fact(payout: &Payout) -> PayoutFact {
    PayoutFact {
        payout_id: payout.id,
        influencer_id: payout.influencer.id,
        state: payout.state.into(),
        version: payout.version,
        method: payout.method.into(),
        amount: payout.quote.amount,
        platform_fee: payout.quote.platform_fee,
        processing_fee: payout.quote.processing_fee,
        net_amount: payout.quote.net,
        transaction_id: payout.transaction_id,
        reason: payout.failure_reason.clone(),
    }
}
