//! The rules of TWIST that every target shares: ids, money, VAU bytes, rewards, staking, sign-in messages.
//!
//! Nothing here reads a clock, a file or a socket, and nothing uses a float: callers pass the time
//! and the numbers in. The same code is compiled natively, to wasm32 and to SBF, and the vectors in
//! `tests/vectors/` are run against each build.

pub mod bytes;
pub mod device;
#[cfg(feature = "ed25519")]
pub mod ed25519;
mod hex_id;
#[cfg(feature = "hmac")]
pub mod http_hmac;
pub mod ids;
#[cfg(feature = "hmac")]
pub mod mac;
pub mod money;
pub mod offchain;
pub mod payout;
pub mod reward;
pub mod siws;
pub mod staking;
pub mod time;
pub mod vau;

pub use ids::{DeviceId, Fingerprint, IdError, SiteId, VauId, WalletAddress};
pub use money::{Amount, AmountError};
pub use time::EpochMs;
