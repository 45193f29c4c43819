//! The rows of the tables that this service owns. `services/migrations` makes the tables.

#![allow(unreachable_pub, reason = "sea-orm's derive makes its types pub")]

pub(crate) mod signing_keys;
pub(crate) mod users;
pub(crate) mod wallets;
