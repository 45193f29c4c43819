//! Who is calling: access tokens, from their signature to a typed [`Principal`].

mod crypto;
mod jwks;
mod principal;
mod verifier;

pub use crypto::AccessTokenSigner;
pub use jwks::JwksPolicy;
pub use principal::{BEARER_SCHEME, Principal};
pub use verifier::{TokenConfig, TokenVerifier, VerifyError};
