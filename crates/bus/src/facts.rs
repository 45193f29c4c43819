//! The topics of the platform's facts: `docs/reference/events.md` lists them.

use crate::topic::{Fact, Topic};
use contracts::event::{
    PayoutApproved, PayoutCancelled, PayoutFailed, PayoutFinalized, PayoutRejected,
    PayoutRequested, TierChanged,
};

impl Fact for TierChanged {
    const TOPIC: Topic = Topic::new("staking", "tier_changed", 1);
}

impl Fact for PayoutRequested {
    const TOPIC: Topic = Topic::new("payouts", "requested", 1);
}

impl Fact for PayoutApproved {
    const TOPIC: Topic = Topic::new("payouts", "approved", 1);
}

impl Fact for PayoutFinalized {
    const TOPIC: Topic = Topic::new("payouts", "finalized", 1);
}

impl Fact for PayoutCancelled {
    const TOPIC: Topic = Topic::new("payouts", "cancelled", 1);
}

impl Fact for PayoutRejected {
    const TOPIC: Topic = Topic::new("payouts", "rejected", 1);
}

impl Fact for PayoutFailed {
    const TOPIC: Topic = Topic::new("payouts", "failed", 1);
}
