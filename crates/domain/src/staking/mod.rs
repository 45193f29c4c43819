//! Staking: pools that pay their stakers exactly what was distributed to them, tiers, and yields.
//!
//! The rules and their bounds are in `docs/reference/staking.md`; `tests/vectors/staking-v1.json` has
//! them as numbers.

mod pool;
mod tier;
mod yields;

pub use pool::{Pool, Position, SCALE_BITS, StakingError};
pub use tier::{RevenueShare, ShareError, Split, Tier};
pub use yields::{Apy, DailyYield, Trend};
