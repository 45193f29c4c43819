//! The rules of sign-in. No I/O.

pub(crate) mod challenge;
pub(crate) mod key_life;
pub(crate) mod nonce;
pub(crate) mod refresh;
pub(crate) mod seal;
pub(crate) mod signature;
pub(crate) mod token;
