//! What security-worker asks the object `RateLimiter`: exact counts, and proofs that are used once.

use crate::limit::Rate;
use serde::{Deserialize, Serialize};

/// The object's name; one counts for everybody.
pub const NAME: &str = "limiter-0";
/// Where its messages go; only the path matters.
pub const ORIGIN: &str = "https://limiter";
/// [`Take`] → [`Taken`].
pub const TAKE: &str = "/take";
/// [`Spend`] → [`Spent`].
pub const SPEND: &str = "/spend";

/// Proofs that are remembered at a time. Each takes some work and two minutes, so nobody gets near by accident.
pub const MAX_SPENT: u64 = 20_000;

/// Counts one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// Whose.
    pub key: String,
    /// Requests in a minute.
    pub limit: u32,
}

/// Whether it was within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// It was.
    pub within: bool,
    /// Where the caller stands now.
    pub rate: Rate,
}

/// Uses a proof up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// The challenge's name.
    pub id: String,
    /// When it ends by itself, epoch ms.
    pub until: u64,
}

/// Whether it was the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// It was.
    pub fresh: bool,
}
