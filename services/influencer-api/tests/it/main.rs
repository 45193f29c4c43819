//! influencer-api over HTTP, on real PostgreSQL and Redis.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod access;
mod bad_input;
mod canary;
mod contract;
mod credentials;
mod devices;
mod entries;
mod hostile_input;
mod idempotency;
mod ingest;
mod ingest_groups;
mod ingest_refusals;

mod me;
mod outage;
mod payee;
mod payouts;
mod payouts_adapters;
mod payouts_checks;
mod payouts_crowd;
mod payouts_killed;
mod payouts_limits;
mod payouts_reads;
mod payouts_refusals;
mod payouts_sweeps;
mod pool;
mod program;
mod reference;
mod schema;
mod sessions;
mod staking;
mod staking_crowd;
mod staking_refusals;
mod staking_search;
mod support;
