//! Queries. Each takes the owner's id, so that one without it looks wrong.

pub mod accounts;
pub mod credentials;
pub mod devices;
pub mod edge_reports;
pub mod entries;
pub mod ingest;
pub mod payouts;
pub mod rewards;
pub mod staking;
mod values;
pub mod vaus;
