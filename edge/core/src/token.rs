//! The access token: read without trust, believed once its signature has been checked.

use crate::Refusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::Code;
use contracts::token::{AccessClaims, MAX_TOKEN_BYTES, TokenError, TokenHeader};
use domain::EpochMs;

/// The token of an `Authorization` header.
pub fn bearer(header: Option<&str>) -> Result<&str, Refusal> {
    let header = header.map(str::trim).filter(|h| !h.is_empty());
    let token = header.and_then(|h| {
        let (scheme, token) = h.split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
    });
    match token {
        Some(token) if !token.is_empty() => Ok(token),
        Some(_) | None => Err(Refusal::new(
            Code::AuthTokenMissing,
            "Send the access token as `Authorization: Bearer <token>`.",
        )),
    }
}

/// A token nobody has checked yet: only its form is known to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedToken<'a> {
    key_id: String,
    signed: &'a str,
    claims: &'a str,
    signature: [u8; 64],
}

impl<'a> UnverifiedToken<'a> {
    /// Splits a token. The header must be exactly that of an access token, so `alg: none`, HMAC and tokens
    /// that bring their own key end here.
    pub fn split(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Invalid);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Invalid)?;
        if claims.contains('.') {
            return Err(TokenError::Invalid);
        }
        let header: TokenHeader = json(header)?;
        Ok(Self {
            key_id: header.key_id()?.to_owned(),
            signed,
            claims,
            signature: decode(signature)?
                .try_into()
                .map_err(|_| TokenError::Invalid)?,
        })
    }

    /// Names the key that must have signed.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The bytes that were signed.
    pub fn signed_bytes(&self) -> &'a [u8] {
        self.signed.as_bytes()
    }

    /// The signature over them.
    pub const fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// The claims, if the signature holds and they are right at `now`. An expired token with a wrong
    /// signature is invalid, not expired: nothing in it is known to be ours.
    pub fn believe(
        self,
        signature_holds: bool,
        issuer: &str,
        now: EpochMs,
    ) -> Result<AccessClaims, TokenError> {
        if !signature_holds {
            return Err(TokenError::Invalid);
        }
        let claims: AccessClaims = json(self.claims)?;
        claims.validate(issuer, now.get() / 1_000)?;
        Ok(claims)
    }
}

/// What a caller is told.
impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::new(
                Code::AuthTokenInvalid,
                "The access token is not one of this platform's; sign in again.",
            ),
            TokenError::Expired => Self::new(
                Code::AuthTokenExpired,
                "The access token has expired; sign in again.",
            ),
        }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Invalid)
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    serde_json::from_slice(&decode(part)?).map_err(|_| TokenError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::token::{AUDIENCE, TOKEN_TYPE, VERSION};
    use domain::WalletAddress;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn part(value: &serde_json::Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

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

    fn token(header: &serde_json::Value) -> String {
        let claims = serde_json::to_value(claims()).unwrap();
        let signature = URL_SAFE_NO_PAD.encode([7; 64]);
        format!("{}.{}.{signature}", part(header), part(&claims))
    }

    fn good() -> String {
        token(&serde_json::json!({"alg": "EdDSA", "typ": TOKEN_TYPE, "kid": "k1"}))
    }

    #[test]
    fn an_unsigned_or_hmac_token_does_not_get_as_far_as_a_key() {
        for alg in ["none", "None", "HS256", "ES256", "RS256"] {
            let token = token(&serde_json::json!({"alg": alg, "typ": TOKEN_TYPE, "kid": "k1"}));
            assert_eq!(
                UnverifiedToken::split(&token),
                Err(TokenError::Invalid),
                "{alg}"
            );
        }
    }

    #[test]
    fn the_claims_count_only_when_the_signature_holds() {
        let at = |s: u64| EpochMs::new(s * 1_000).unwrap();
        let text = good();
        let split = || UnverifiedToken::split(&text).unwrap();
        assert_eq!(split().key_id(), "k1");
        assert_eq!(
            split().believe(true, "https://auth.example", at(1_000)),
            Ok(claims())
        );
        assert_eq!(
            split().believe(true, "https://auth.example", at(9_000)),
            Err(TokenError::Expired)
        );
        assert_eq!(
            split().believe(false, "https://auth.example", at(9_000)),
            Err(TokenError::Invalid)
        );
        assert_eq!(
            split().believe(true, "https://other.example", at(1_000)),
            Err(TokenError::Invalid)
        );
    }

    #[test]
    fn a_token_has_one_form() {
        let good = good();
        let long = format!("{good}{}", "A".repeat(MAX_TOKEN_BYTES));
        for bad in [
            String::new(),
            "..".into(),
            good.replace('.', ""),
            format!("{good}."),
            format!("{good}="),
            format!("x.{good}"),
            good.replacen('.', ".+", 1),
            long,
        ] {
            let split = UnverifiedToken::split(&bad);
            let believed = split.and_then(|t| {
                t.believe(
                    true,
                    "https://auth.example",
                    EpochMs::new(1_000_000).unwrap(),
                )
            });
            assert_eq!(believed, Err(TokenError::Invalid), "{bad}");
        }
    }

    #[test]
    fn no_header_is_missing_and_another_scheme_too() {
        for missing in [
            None,
            Some(""),
            Some("Basic abc"),
            Some("Bearer"),
            Some("Bearer  "),
        ] {
            assert_eq!(bearer(missing).unwrap_err().code, Code::AuthTokenMissing);
        }
        assert_eq!(bearer(Some("bearer abc")), Ok("abc"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_splitter_panic(text in "[A-Za-z0-9_.-]{0,300}") {
            let _ = UnverifiedToken::split(&text);
        }
    }
}
