//! Typed client: wallet sign-in, sessions, device registration, signed VAUs, staking, payouts.
//!
//! ```no_run
//! # async fn example() -> Result<(), client::ClientError> {
//! use client::{Client, Device, Endpoints, Wallet};
//!
//! let client = Client::new(Endpoints::local())?;
//! let (wallet, device) = (Wallet::generate()?, Device::generate()?);
//! let session = client.sign_in(&wallet).await?;
//! client.register_device(&session, &device).await?;
//! let vau = device.vau(wallet.address(), &"site-1".parse()?, client::now(), "{}");
//! let accepted = client.submit(&session, &vau).await?;
//! println!("{} earned {}", accepted.vau_id, accepted.earned);
//! # Ok(()) }
//! ```

mod answer;
mod auth;
mod calls;
mod device;
mod error;
mod keys;
mod money;
mod retry;
mod session;
mod wallet;

pub use answer::Answer;
pub use calls::{Client, Endpoints};
pub use device::Device;
pub use error::{ClientError, Refusal};
pub use money::Decision;
pub use retry::Retry;
pub use secrecy::{ExposeSecret, SecretString};
pub use session::Session;
pub use wallet::Wallet;

use domain::EpochMs;
use std::time::{SystemTime, UNIX_EPOCH};

/// This machine's clock.
pub fn now() -> EpochMs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis())
        .ok()
        .and_then(|ms| EpochMs::new(ms).ok())
        .unwrap_or(EpochMs::MAX)
}
