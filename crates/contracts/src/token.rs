//! What an access token says, and when it is believed. The signature is checked elsewhere, by each
//! platform's own Ed25519; the rules here are the same for services and for the edge.

use domain::WalletAddress;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The audience of every access token.
pub const AUDIENCE: &str = "twist-api";
/// `typ` of an access token's header (RFC 9068).
pub const TOKEN_TYPE: &str = "at+jwt";
/// The version of the claims.
pub const VERSION: u8 = 1;
/// A longer token is refused before it is read.
pub const MAX_TOKEN_BYTES: usize = 4_096;
/// How far clocks may differ, in seconds.
pub const LEEWAY_SECONDS: u64 = 30;

/// The claims of an access token. All are required, but for the last two, which are hints: roles and
/// influencer are decided by the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccessClaims {
    /// The environment's auth-service URL.
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The wallet that signed in.
    pub sub: WalletAddress,
    /// Always equal to `sub`.
    pub wallet_address: WalletAddress,
    /// The user, who may have several wallets.
    pub uid: Uuid,
    /// The session.
    pub sid: Uuid,
    /// This token.
    pub jti: Uuid,
    /// Seconds since the epoch.
    pub iat: u64,
    /// Not before; seconds since the epoch.
    pub nbf: u64,
    /// Expiry; seconds since the epoch.
    pub exp: u64,
    /// [`VERSION`].
    pub ver: u8,
    /// Role names; unknown ones mean nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The influencer profile, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub influencer_id: Option<String>,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours: form, header, signature, issuer, audience or a claim is wrong.
    #[error("the access token is not valid")]
    Invalid,
    /// It was one, until `exp`.
    #[error("the access token has expired; sign in again")]
    Expired,
}

impl AccessClaims {
    /// Checks everything but the signature, at `now_seconds` since the epoch.
    pub fn validate(&self, issuer: &str, now_seconds: u64) -> Result<(), TokenError> {
        let named = self.iss == issuer
            && self.aud == AUDIENCE
            && self.ver == VERSION
            && self.sub == self.wallet_address;
        let started = self.nbf <= now_seconds.saturating_add(LEEWAY_SECONDS)
            && self.iat <= now_seconds.saturating_add(LEEWAY_SECONDS);
        if !named || !started || self.exp < self.iat {
            return Err(TokenError::Invalid);
        }
        if self.exp.saturating_add(LEEWAY_SECONDS) <= now_seconds {
            return Err(TokenError::Expired);
        }
        Ok(())
    }
}

/// The header of a token. Fields that would let a token bring its own key are read only to be refused.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenHeader {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(flatten)]
    other: std::collections::BTreeMap<String, serde_json::Value>,
}

impl TokenHeader {
    /// The key's name, if the header is exactly that of an access token: `EdDSA`, `at+jwt`, a `kid`, and
    /// none of `jku`, `jwk`, `x5u`, `x5c`, `crit`.
    pub fn key_id(&self) -> Result<&str, TokenError> {
        const REFUSED: [&str; 5] = ["jku", "jwk", "x5u", "x5c", "crit"];
        let plain = self.alg == "EdDSA"
            && self.typ.as_deref() == Some(TOKEN_TYPE)
            && !REFUSED.iter().any(|name| self.other.contains_key(*name));
        match self.kid.as_deref() {
            Some(kid) if plain && !kid.is_empty() && kid.len() <= 64 => Ok(kid),
            _ => Err(TokenError::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> AccessClaims {
        let wallet = WalletAddress::from_bytes([1; 32]);
        AccessClaims {
            iss: "https://auth.example".into(),
            aud: AUDIENCE.into(),
            sub: wallet,
            wallet_address: wallet,
            uid: Uuid::from_u128(1),
            sid: Uuid::from_u128(2),
            jti: Uuid::from_u128(3),
            iat: 1_000,
            nbf: 1_000,
            exp: 1_900,
            ver: VERSION,
            roles: vec![],
            influencer_id: None,
        }
    }

    #[test]
    fn a_token_of_another_environment_or_audience_is_not_believed() {
        let good = claims();
        assert_eq!(good.validate("https://auth.example", 1_000), Ok(()));
        assert_eq!(
            good.validate("https://staging.example", 1_000),
            Err(TokenError::Invalid)
        );
        for bad in [
            AccessClaims {
                aud: "twist-edge".into(),
                ..claims()
            },
            AccessClaims { ver: 2, ..claims() },
            AccessClaims {
                wallet_address: WalletAddress::from_bytes([2; 32]),
                ..claims()
            },
            AccessClaims {
                nbf: 1_100,
                ..claims()
            },
            AccessClaims {
                iat: 1_100,
                ..claims()
            },
            AccessClaims {
                exp: 999,
                ..claims()
            },
        ] {
            assert_eq!(
                bad.validate("https://auth.example", 1_000),
                Err(TokenError::Invalid)
            );
        }
    }

    #[test]
    fn a_token_ends_when_its_leeway_ends() {
        assert_eq!(claims().validate("https://auth.example", 1_929), Ok(()));
        assert_eq!(
            claims().validate("https://auth.example", 1_930),
            Err(TokenError::Expired)
        );
    }

    #[test]
    fn a_claim_left_out_is_not_filled_in() {
        let whole = serde_json::to_value(claims()).unwrap();
        for name in whole.as_object().unwrap().keys() {
            let mut part = whole.clone();
            part.as_object_mut().unwrap().remove(name);
            assert!(
                serde_json::from_value::<AccessClaims>(part).is_err(),
                "{name} was not missed"
            );
        }
    }

    #[test]
    fn a_header_that_brings_its_own_key_or_algorithm_is_refused() {
        let key_id = |text: &str| {
            serde_json::from_str::<TokenHeader>(text)
                .map_err(|_| TokenError::Invalid)
                .and_then(|h| h.key_id().map(str::to_owned))
        };
        assert_eq!(
            key_id(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#),
            Ok("k".into())
        );
        for bad in [
            r#"{"alg":"none","typ":"at+jwt","kid":"k"}"#,
            r#"{"alg":"HS256","typ":"at+jwt","kid":"k"}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"k"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":""}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k","jwk":{}}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k","crit":[]}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k","jku":"http://x"}"#,
        ] {
            assert_eq!(key_id(bad), Err(TokenError::Invalid), "{bad}");
        }
    }
}
