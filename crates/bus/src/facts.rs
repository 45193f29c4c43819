//! The topics of the platform's facts: `docs/reference/events.md` lists them.

use crate::topic::{Fact, Topic};
use contracts::event::TierChanged;

impl Fact for TierChanged {
    const TOPIC: Topic = Topic::new("staking", "tier_changed", 1);
}
