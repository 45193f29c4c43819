//! What the Worker and the Durable Object say to each other.

use crate::Refusal;
use crate::hours::Summary;
use crate::limit::Rate;
use crate::meter::Usage;
use contracts::Code;
use contracts::ingest::{AcceptedItem, OtherItem, SignedBatch};
use contracts::vau::{Attestation, VauAccepted, VauStatus, VauSubmission};
use domain::{Amount, DeviceId, EpochMs, SiteId, VauId, WalletAddress};
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
/// Path of [`Find`].
pub const FIND: &str = "/find";
/// Path of [`Report`].
pub const REPORT: &str = "/report";
/// Path of the hourly call that closes hours and throws away.
pub const TICK: &str = "/tick";

/// Which limit a request is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// One VAU.
    Single,
    /// A batch.
    Batch,
}

/// What the Worker learned about a device before asking (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookup {
    /// Nothing: the backend was not asked yet.
    NotAsked,
    /// The backend says it is registered to the VAU's user.
    Registered,
    /// The backend says it is not.
    NotTheirs,
    /// The backend could not be asked.
    Unavailable,
}

/// Checked VAUs of one request: form, window and signatures hold, and the token is their user's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accept {
    /// Which limit it counts under.
    pub class: Class,
    /// Key of the caller's address for the rate limit.
    pub address: String,
    /// Whether the request was counted before: the same one is asked again after a look-up.
    pub counted: bool,
    /// Requests that this isolate has seen since it last told of any.
    pub requests: u32,
    /// Whose VAUs they are.
    pub user_id: WalletAddress,
    /// The VAUs, by device.
    pub groups: Vec<Group>,
}

/// One device's VAUs of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The device.
    pub device_id: DeviceId,
    /// What is known of it.
    pub lookup: Lookup,
    /// The device's signature over the batch, where its items carry none.
    pub signed: Option<SignedBatch>,
    /// VAUs under that signature that were refused before they got here.
    pub others: Vec<OtherItem>,
    /// The VAUs.
    pub items: Vec<Candidate>,
}

/// A VAU that may be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Its place in the request, from 0.
    pub index: u32,
    /// Where.
    pub site_id: SiteId,
    /// When.
    pub timestamp: EpochMs,
    /// What.
    pub payload: String,
    /// Evidence, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attestation: Option<Attestation>,
    /// The device's signature over it, where the batch has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
    /// What came of the evidence.
    pub verdict: Verdict,
}

/// What came of an attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is none, or none that can be judged.
    None,
    /// It holds.
    #[serde(rename_all = "camelCase")]
    Verified {
        /// By which credential.
        credential_id: String,
        /// The authenticator's counter.
        sign_count: u32,
    },
    /// It claims what is not so.
    Invalid,
}

impl Candidate {
    /// From what was submitted.
    pub fn of(index: u32, vau: VauSubmission, signature: Option<String>) -> Self {
        Self {
            index,
            site_id: vau.site_id,
            timestamp: vau.timestamp,
            payload: vau.payload,
            attestation: vau.attestation,
            signature,
            verdict: Verdict::None,
        }
    }

    /// As it was submitted.
    pub fn submission(&self, user_id: WalletAddress, device_id: DeviceId) -> VauSubmission {
        VauSubmission {
            user_id,
            device_id,
            site_id: self.site_id.clone(),
            timestamp: self.timestamp,
            payload: self.payload.clone(),
            signature: self.signature.clone().unwrap_or_default(),
            attestation: self.attestation.clone(),
        }
    }

    /// As it goes to the backend.
    pub fn accepted(&self, earned: Amount) -> AcceptedItem {
        AcceptedItem {
            index: self.index,
            site_id: self.site_id.clone(),
            timestamp: self.timestamp,
            payload: self.payload.clone(),
            attestation: self.attestation.clone(),
            signature: self.signature.clone(),
            earned,
        }
    }
}

/// The object's answer. Whatever it says is in its storage before the answer leaves it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// Where the caller stands.
    pub rate: Rate,
    /// Whether clients should send more VAUs in fewer requests.
    pub larger_batches: bool,
    /// What became of the request.
    pub reply: Reply,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Each item, by its place in the request.
    Decided(Vec<(u32, Outcome)>),
    /// Ask the backend about these devices, then ask again. Nothing was decided.
    AskAbout(Vec<DeviceId>),
    /// The address has used up its minute.
    RateLimited,
    /// Too much waits to be delivered; nothing more is taken in.
    Full,
    /// The day's free allowance is used up; milliseconds until the next.
    Exhausted(u64),
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
    /// The device is not registered to the user.
    DeviceUnknown,
    /// The backend could not be asked and the device is not known.
    DeviceUnavailable,
    /// The device's day is full; milliseconds until the next.
    DeviceCap(u64),
    /// The device is not trusted enough.
    LowTrust,
}

impl Outcome {
    /// What the sender of the VAU alone is told.
    pub fn answer(self) -> Result<VauAccepted, Refusal> {
        let refused = |code, detail| Err(Refusal::new(code, detail));
        match self {
            Self::Accepted(receipt) => Ok(receipt),
            Self::Duplicate(first) => Err(Refusal {
                data: serde_json::to_value(first).ok(),
                ..Refusal::new(
                    Code::VauDuplicate,
                    "This VAU was accepted before; `data` is the first answer.",
                )
            }),
            Self::Conflicting => refused(
                Code::VauConflicting,
                "Another VAU of this device, site and time was accepted; give each VAU its own timestamp.",
            ),
            Self::DeviceUnknown => Err(device_unknown()),
            Self::DeviceUnavailable => Err(Refusal::unavailable(
                "The device's registration cannot be looked up at the moment; try again.",
            )),
            Self::DeviceCap(wait_ms) => Err(Refusal::new(
                Code::VauDeviceCap,
                "The device has been credited 8640 times today; try again tomorrow (UTC).",
            )
            .after(wait_ms)),
            Self::LowTrust => refused(
                Code::VauLowTrust,
                "The device is not trusted enough to earn.",
            ),
        }
    }
}

impl Reply {
    /// The items' outcomes, or why there are none.
    pub fn decided(self, rate: &Rate, now: EpochMs) -> Result<Vec<(u32, Outcome)>, Refusal> {
        match self {
            Self::Decided(outcomes) => Ok(outcomes),
            // The object has been told everything that is known; asking once more would not end.
            Self::AskAbout(_) => Err(Refusal::unavailable(
                "The device's registration cannot be looked up at the moment; try again.",
            )),
            Self::RateLimited => Err(rate_limited(rate, now)),
            Self::Full => Err(Refusal::unavailable(
                "Accepted VAUs are not being delivered; try again later.",
            )
            .after(60_000)),
            Self::Exhausted(wait_ms) => Err(Refusal::new(
                Code::QuotaFreeTierExhausted,
                "The day's free allowance is used up; it starts anew at midnight UTC.",
            )
            .after(wait_ms)),
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

/// The backend has every item of a segment, or a report.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledge {
    /// Which.
    pub segment_id: Uuid,
}

/// Where a VAU is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Find {
    /// Which.
    pub vau_id: VauId,
    /// Who asks; a stranger's VAU is not found.
    pub user_id: WalletAddress,
}

/// Where a VAU is, if the object still remembers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Nothing: ask the backend.
    pub status: Option<VauStatus>,
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

/// What operators are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What waits.
    pub status: Status,
    /// What has been counted since the object was first used.
    pub totals: crate::memory::Totals,
    /// What of the day's allowances is used.
    pub usage: Usage,
    /// What was promised on this UTC day.
    pub promised: Amount,
    /// The hours that are kept, oldest first.
    pub hours: Vec<Summary>,
}
