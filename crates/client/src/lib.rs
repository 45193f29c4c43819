//! Typed client: wallet sign-in, device registration, signed VAUs.
