//! Postgres and Redis.

mod entity;
pub(crate) mod keys;
pub(crate) mod nonces;
pub(crate) mod sessions;
pub(crate) mod wallets;
