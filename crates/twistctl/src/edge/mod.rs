//! `edge`: what runs at Cloudflare, from this machine.
//!
//! [`publish`] uploads script versions, [`rollback`] and [`status`] deal with what is deployed, [`redrive`] and
//! [`replay`] bring back what was not delivered, [`state`] keeps the encrypted state of `edge/terraform`. All
//! that is said to Cloudflare goes through [`api`]; what is bound to a script comes from [`bindings`] (the
//! repository's list) and [`values`] (an environment's).

pub mod api;
pub mod bindings;
pub mod bundle;
pub mod multipart;
pub mod publish;
pub mod redrive;
pub mod replay;
pub mod rollback;
pub mod state;
pub mod status;
pub mod values;

mod error;
mod metadata;
mod migration;
mod segments;

pub use error::EdgeError;
