//! The sections of what the service does.

use bus::jobs::SchedulerConfig;
use bus::{Cadence, ConsumerConfig, RelayConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::config::Problems;
use std::time::Duration;

const DAY: u64 = 86_400;

/// Declares sections with their defaults.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )*};
}

sections! {
    /// Publishing events. One instance does it, the leader.
    OutboxConfig {
        /// How long an event waits at most when nobody says that it is there.
        #[schemars(range(min = 10, max = 60_000))]
        poll_ms: u64 = 500,
        /// How often an instance that does not lead tries to.
        #[schemars(range(min = 10, max = 5_000))]
        campaign_ms: u64 = 1_000,
        /// Events that are published at a time.
        #[schemars(range(min = 1, max = 5_000))]
        batch: u16 = 500,
    }

    /// Dealing with events.
    ConsumersConfig {
        /// Events that are read at a time.
        #[schemars(range(min = 1, max = 1_000))]
        batch: u16 = 100,
        /// An event that an instance has had for so long is taken over by another.
        #[schemars(range(min = 2, max = 3_600))]
        idle_seconds: u64 = 30,
        /// After this, dealing with one event has failed. Less than `consumers.idle_seconds`.
        #[schemars(range(min = 1, max = 3_600))]
        patience_seconds: u64 = 25,
        /// How often is looked for events to take over, and for a Redis that has lost its data.
        #[schemars(range(min = 1, max = 3_600))]
        reclaim_seconds: u64 = 10,
        /// The delivery that, when it fails, makes an event a dead letter.
        #[schemars(range(min = 1, max = 1_000))]
        deliveries: u16 = 8,
        /// How often events that got lost without a trace are published again.
        #[schemars(range(min = 1, max = 86_400))]
        audit_seconds: u64 = 3_600,
        /// The age from which on an event that was not dealt with counts as lost.
        #[schemars(range(min = 1, max = 86_400))]
        audit_age_seconds: u64 = 600,
    }

    /// Doing jobs at their times, each once across all instances.
    ScheduleConfig {
        /// How often is looked for jobs that are due.
        #[schemars(range(min = 10, max = 60_000))]
        poll_ms: u64 = 1_000,
        /// How long an instance that is not heard of is believed to be at work on a job.
        #[schemars(range(min = 1, max = 600))]
        lease_seconds: u64 = 8,
        /// The pause after a job that failed.
        #[schemars(range(min = 1, max = 3_600))]
        retry_seconds: u64 = 30,
    }

    /// Appending to the ledger's hash chain.
    SealerConfig {
        /// The pause after all was sealed.
        #[schemars(range(min = 10, max = 60_000))]
        pause_ms: u64 = 1_000,
        /// Transactions that are sealed at a time.
        #[schemars(range(min = 1, max = 10_000))]
        batch: u16 = 500,
    }

    /// Voiding pending transactions whose time is over.
    ExpiryConfig {
        /// How often.
        #[schemars(range(min = 1, max = 86_400))]
        every_seconds: u64 = 10,
        /// Transactions that are voided at a time.
        #[schemars(range(min = 1, max = 1_000))]
        batch: u16 = 100,
    }

    /// Checking every invariant of the ledger, and its hash chain.
    CheckConfig {
        /// How often.
        #[schemars(range(min = 1, max = 86_400))]
        every_seconds: u64 = 600,
        /// How long one question to the database may take.
        #[schemars(range(min = 1, max = 3_600))]
        statement_timeout_seconds: u64 = 300,
    }

    /// Removing events that are no longer needed.
    SweepConfig {
        /// How often.
        #[schemars(range(min = 1, max = 86_400))]
        every_seconds: u64 = 3_600,
        /// How long a published event can be published again.
        #[schemars(range(min = 1, max = 3_650))]
        outbox_kept_days: u64 = 7,
        /// How long it is known that an event was dealt with. Not less than `sweep.outbox_kept_days`.
        #[schemars(range(min = 1, max = 3_650))]
        inbox_kept_days: u64 = 30,
    }

    /// Paying approved payouts that their events have not paid.
    SettleConfig {
        /// How often.
        #[schemars(range(min = 1, max = 86_400))]
        every_seconds: u64 = 10,
        /// Payouts that are paid in one run.
        #[schemars(range(min = 1, max = 10_000))]
        batch: u16 = 500,
    }

    /// Making earnings payable whose holding period is over.
    ReleaseConfig {
        /// How often.
        #[schemars(range(min = 1, max = 86_400))]
        every_seconds: u64 = 60,
        /// Earnings that are released in one run.
        #[schemars(range(min = 1, max = 10_000))]
        batch: u16 = 1_000,
    }

    /// Following what is staked with the tiers of influencers.
    TiersConfig {
        /// How often.
        #[schemars(range(min = 1, max = 86_400))]
        every_seconds: u64 = 3_600,
    }
}

impl OutboxConfig {
    pub(crate) fn as_relay(self) -> RelayConfig {
        RelayConfig {
            poll: Duration::from_millis(self.poll_ms),
            campaign: Duration::from_millis(self.campaign_ms),
            batch: self.batch,
            ..RelayConfig::default()
        }
    }
}

impl ConsumersConfig {
    pub(crate) fn check(self, problems: &mut Problems) {
        problems.require(
            "consumers.patience_seconds",
            self.patience_seconds < self.idle_seconds,
            "must be less than consumers.idle_seconds, or another instance takes over what this one still does",
        );
    }

    pub(crate) fn as_consumer(self) -> ConsumerConfig {
        ConsumerConfig {
            count: u64::from(self.batch),
            idle: Duration::from_secs(self.idle_seconds),
            patience: Duration::from_secs(self.patience_seconds),
            reclaim_every: Duration::from_secs(self.reclaim_seconds),
            deliveries: u64::from(self.deliveries),
            audit_every: Duration::from_secs(self.audit_seconds),
            audit_age: Duration::from_secs(self.audit_age_seconds),
            ..ConsumerConfig::default()
        }
    }
}

impl ScheduleConfig {
    pub(crate) const fn as_scheduler(self) -> SchedulerConfig {
        SchedulerConfig {
            poll: Duration::from_millis(self.poll_ms),
            lease: Duration::from_secs(self.lease_seconds),
            retry: Duration::from_secs(self.retry_seconds),
        }
    }
}

impl SealerConfig {
    pub(crate) const fn pause(self) -> Duration {
        Duration::from_millis(self.pause_ms)
    }
}

impl SweepConfig {
    pub(crate) fn check(self, problems: &mut Problems) {
        problems.require(
            "sweep.inbox_kept_days",
            self.inbox_kept_days >= self.outbox_kept_days,
            "must not be less than sweep.outbox_kept_days",
        );
    }

    pub(crate) const fn outbox_kept(self) -> Duration {
        Duration::from_secs(self.outbox_kept_days.saturating_mul(DAY))
    }

    pub(crate) const fn inbox_kept(self) -> Duration {
        Duration::from_secs(self.inbox_kept_days.saturating_mul(DAY))
    }
}

/// Declares that a section has a cadence.
macro_rules! cadence {
    ($($name:ident)*) => {$(
        impl $name {
            pub(crate) const fn cadence(self) -> Cadence {
                Cadence::Every(Duration::from_secs(self.every_seconds))
            }
        }
    )*};
}

cadence! { ExpiryConfig CheckConfig SweepConfig TiersConfig SettleConfig ReleaseConfig }
