//! Who is calling: access tokens, from their signature to a typed [`Principal`].

mod cache_key;
mod crypto;
mod jwks;
mod principal;
mod revocation;
mod verifier;

pub use crypto::AccessTokenSigner;
pub use jwks::{JwksPolicy, Lookup};
pub(crate) use principal::bearer;
pub use principal::{BEARER_SCHEME, Principal};
pub use revocation::Revocations;
pub use verifier::{Believed, KeySource, TokenConfig, TokenVerifier, VerifyError, VerifyingKey};
