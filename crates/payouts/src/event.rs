//! The facts that are published about payouts: one payload, a topic for each.

use crate::payout::Payout;
use bus::{Event, Fact, Topic};
use contracts::payout::PayoutFact;
use domain::payout::State;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub PayoutFact);

        impl Fact for $name {
            const TOPIC: Topic = Topic::new("payouts", $word, 1);
        }
    )*};
}

facts! {
    /// A payout was asked for, and its money is set aside.
    Requested = "requested",
    /// A payout may be paid.
    Approved = "approved",
    /// A payout was paid.
    Finalized = "finalized",
    /// A payout was called off by the payee.
    Cancelled = "cancelled",
    /// A payout was turned down.
    Rejected = "rejected",
    /// A payout could not be paid, and no money moved.
    Failed = "failed",
}

/// Publishes what `payout` has become, if that is told.
pub(crate) async fn publish(
    tx: &DatabaseTransaction,
    payout: &Payout,
) -> Result<(), bus::BusError> {
    let fact = fact(payout);
    let about = format!("payout:{}", payout.id);
    let event = match payout.state {
        State::Requested => Event::new(about, &Requested(fact)),
        State::Approved => Event::new(about, &Approved(fact)),
        State::Finalized => Event::new(about, &Finalized(fact)),
        State::Cancelled => Event::new(about, &Cancelled(fact)),
        State::Rejected => Event::new(about, &Rejected(fact)),
        State::Failed => Event::new(about, &Failed(fact)),
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
        method: payout.method.as_str().to_owned(),
        amount: payout.quote.amount,
        platform_fee: payout.quote.platform_fee,
        processing_fee: payout.quote.processing_fee,
        net_amount: payout.quote.net,
        transaction_id: payout.transaction_id,
        reason: payout.failure_reason.clone(),
    }
}
