//! Wallet sign-in: nonces, sessions, access tokens, JWKS.
