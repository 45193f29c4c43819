//! `Debug` of what carries credentials: it shows that they are there, never what they are.

use crate::auth::{LinkWalletRequest, RefreshRequest, TokenResponse, VerifyRequest};
use crate::device::RegisterDevice;
use core::fmt;

struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

macro_rules! debug {
    ($type:ident shows $($shown:ident)*, hides $($hidden:ident)*) => {
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // Names every field, so that a new one has to be put on one side or the other.
                let Self { $($shown,)* $($hidden: _,)* } = self;
                let mut text = f.debug_struct(stringify!($type));
                $(text.field(stringify!($shown), $shown);)*
                $(text.field(stringify!($hidden), &Redacted);)*
                text.finish()
            }
        }
    };
}

debug!(TokenResponse shows token_type expires_in refresh_expires_in, hides access_token refresh_token);
debug!(RefreshRequest shows, hides refresh_token);
debug!(VerifyRequest shows wallet_address, hides message signature);
debug!(LinkWalletRequest shows wallet_address, hides message signature current_signature);
debug!(RegisterDevice shows device_id issued_at, hides proof);

#[cfg(test)]
mod tests {
    use super::*;
    use domain::WalletAddress;

    #[test]
    fn debug_shows_no_credential() {
        let wallet_address = WalletAddress::from_bytes([1; 32]);
        let canary = || "canary".to_owned();
        let tokens = TokenResponse {
            token_type: "Bearer".to_owned(),
            access_token: canary(),
            expires_in: 900,
            refresh_token: canary(),
            refresh_expires_in: 1_000,
        };
        let verify = VerifyRequest {
            wallet_address,
            message: canary(),
            signature: canary(),
        };
        let link = LinkWalletRequest {
            wallet_address,
            message: canary(),
            signature: canary(),
            current_signature: canary(),
        };
        let refresh = RefreshRequest {
            refresh_token: canary(),
        };
        let shown = format!("{tokens:?} {verify:?} {link:#?} {refresh:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("expires_in: 900") && shown.contains("[REDACTED]"));
    }
}
