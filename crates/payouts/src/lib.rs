//! Payouts: asked for, decided on, and paid once, whatever crashes.
//!
//! Every function that takes a transaction does all of its work in it: rows, ledger, history and event come into being
//! together or not at all. The payout's row is locked first, the ledger's accounts after it. What may be asked for again
//! has ids that follow from its cause, so that asking again changes nothing.
//!
//! [`settle`], [`auto`] and [`release`] are for jobs, [`Settler`] is for a consumer. Who pays is a [`SettlementAdapter`].

mod adapter;
pub mod auto;
mod change;
mod decide;
mod error;
mod event;
mod handler;
mod payout;
mod policy;
pub mod release;
mod request;
pub mod settle;
mod sql;
mod sweep;

pub use adapter::{LedgerAdapter, Payment, SettlementAdapter};
pub use change::Actor;
pub use decide::{approve, cancel, hold, reject, unhold};
pub use error::PayoutError;
pub use handler::Settler;
pub use payout::{COLUMNS, Method, Payout, lock};
pub use policy::{Terms, append, current};
pub use request::{NewPayout, Payee, request};
