//! The double-entry ledger: accounts, postings and the checks that prove it adds up.
//!
//! Rules that no caller can get around live in the database (`ledger_post`, constraints, grants); this
//! crate gives them types. A posting is balanced by construction, its id is made by the caller from
//! what caused it, and posting it again does nothing.

pub mod account;
pub mod chain;
pub mod check;
mod error;
pub mod explain;
pub mod freeze;
mod kind;
pub mod phase;
pub mod posting;
mod retry;
pub mod reward;
mod values;

pub use account::{Account, AccountId, Influencer, Side, Stripe};
pub use error::{LedgerError, is_contention, is_timeout};
pub use phase::Cause;
pub use posting::{Leg, Posting, TxId, TxKind};
pub use retry::Attempts;
