//! What the Worker and the Durable Object say to each other.

use crate::Refusal;
use crate::admission::{Admission, Lookup, receipt};
use crate::limit::Rate;
use contracts::Code;
use contracts::vau::{VauAccepted, VauSubmission};
use domain::EpochMs;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The one object there is today. Every VAU, limit and promise of the day is in it.
pub const NAME: &str = "vau-0";
/// Host of the object's requests; only the path matters.
pub const ORIGIN: &str = "https://shard";
/// Path of [`Accept`].
pub const ACCEPT: &str = "/accept";
/// Path of [`Acknowledge`].
pub const ACKNOWLEDGE: &str = "/acknowledge";
/// Path of [`Status`].
pub const STATUS: &str = "/status";

/// A checked VAU: form, window and signature hold, and the token is its user's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accept {
    /// The VAU.
    pub vau: VauSubmission,
    /// Key of the caller's address for the rate limit.
    pub address: String,
    /// What is known of the device. The request is counted once: when nobody was asked yet.
    pub lookup: Lookup,
}

/// The object's answer. Whatever it says is in its storage before the answer leaves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Where the caller stands.
    pub rate: Rate,
    /// What became of the VAU.
    pub outcome: Outcome,
}

/// What became of a VAU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Taken in now.
    Accepted(VauAccepted),
    /// Taken in before; the first answer.
    Duplicate(VauAccepted),
    /// Another VAU has this id.
    Conflicting,
    /// Ask the backend about the device, then ask again.
    DeviceUnknown,
    /// The backend could not be asked and the device is not known.
    DeviceUnavailable,
    /// The device's day is full; milliseconds until the next.
    DeviceCap(u64),
    /// The device is not trusted enough.
    LowTrust,
    /// The address has used up its minute.
    RateLimited,
    /// Too much waits to be delivered; nothing more is taken in.
    Full,
}

impl From<&Admission> for Outcome {
    fn from(admission: &Admission) -> Self {
        match admission {
            Admission::Accepted { item, .. } => Self::Accepted(receipt(item)),
            Admission::Duplicate(first) => Self::Duplicate(first.clone()),
            Admission::Conflicting(_) => Self::Conflicting,
            Admission::DeviceUnknown => Self::DeviceUnknown,
            Admission::DeviceUnavailable => Self::DeviceUnavailable,
            Admission::DeviceCap { wait_ms } => Self::DeviceCap(*wait_ms),
            Admission::LowTrust => Self::LowTrust,
        }
    }
}

impl Accepted {
    /// What the caller is told.
    pub fn answer(self, now: EpochMs) -> Result<VauAccepted, Refusal> {
        let refused = |code, detail| Err(Refusal::new(code, detail));
        match self.outcome {
            Outcome::Accepted(receipt) => Ok(receipt),
            Outcome::Duplicate(first) => Err(Refusal {
                data: serde_json::to_value(first).ok(),
                ..Refusal::new(
                    Code::VauDuplicate,
                    "This VAU was accepted before; `data` is the first answer.",
                )
            }),
            Outcome::Conflicting => refused(
                Code::VauConflicting,
                "Another VAU of this device, site and time was accepted; give each VAU its own timestamp.",
            ),
            Outcome::DeviceUnknown => Err(device_unknown()),
            Outcome::DeviceUnavailable => Err(Refusal::unavailable(
                "The device's registration cannot be looked up at the moment; try again.",
            )),
            Outcome::DeviceCap(wait_ms) => Err(Refusal::new(
                Code::VauDeviceCap,
                "The device has been credited 8640 times today; try again tomorrow (UTC).",
            )
            .after(wait_ms)),
            Outcome::LowTrust => refused(
                Code::VauLowTrust,
                "The device is not trusted enough to earn.",
            ),
            Outcome::RateLimited => Err(rate_limited(&self.rate, now)),
            Outcome::Full => Err(Refusal::unavailable(
                "Accepted VAUs are not being delivered; try again later.",
            )
            .after(60_000)),
        }
    }
}

/// The device is not registered to the VAU's user.
pub const fn device_unknown() -> Refusal {
    Refusal::new(
        Code::VauDeviceUnknown,
        "The device is not registered to this user; register it with POST /devices.",
    )
}

/// The address has used up its minute.
pub fn rate_limited(rate: &Rate, now: EpochMs) -> Refusal {
    Refusal::new(
        Code::RateLimited,
        "Too many requests from this address; wait until X-RateLimit-Reset.",
    )
    .after(rate.wait_ms(now))
}

/// The backend has every item of a segment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledge {
    /// Which.
    pub segment_id: Uuid,
}

/// What waits in the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Accepted VAUs that are in no segment yet.
    pub waiting: u64,
    /// Segments that are not acknowledged.
    pub segments: u64,
    /// Age of the oldest of those, milliseconds; 0 when there is none.
    pub oldest_segment_ms: u64,
}

/// An outage longer than this is worth a look.
pub const LATE_MS: u64 = 600_000;

impl Status {
    /// Whether delivery keeps up.
    pub const fn is_healthy(&self) -> bool {
        self.oldest_segment_ms < LATE_MS
    }
}
