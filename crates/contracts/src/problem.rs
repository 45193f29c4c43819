//! The one error body: RFC 9457 problem details that also carry the platform's envelope.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Media type of an error body.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// What went wrong, in a form that never changes: clients may match on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* #[doc = concat!("`", $text, "`, HTTP ", stringify!($status), ".")] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text, `area.reason`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The HTTP status that always goes with this code.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// A short sentence that is the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or not UTF-8.
    RequestMalformed = "request.malformed", 400, "The request could not be read";
    /// The body names an identity that the route takes from the token.
    RequestIdentityInBody = "request.identity_in_body", 400, "Identity comes from the token, not from the body";
    /// The body is longer than the route admits.
    RequestTooLarge = "request.too_large", 413, "The request body is too large";
    /// `Content-Type` is not JSON.
    RequestUnsupportedMedia = "request.unsupported_media", 415, "Send application/json";
    /// The route exists, but not for this method.
    RequestMethodNotAllowed = "request.method_not_allowed", 405, "Method not allowed";
    /// The server gave up waiting; it is not known whether the request had an effect.
    RequestTimeout = "request.timeout", 503, "The request took too long";
    /// More requests are being served than the service takes at a time.
    RequestOverloaded = "request.overloaded", 503, "The service is busy";
    /// A browser sent the request from a page that may not call this service.
    RequestOriginRefused = "request.origin_refused", 403, "This origin may not call the service";
    /// The JSON is well-formed but a field is wrong; `errors` says which.
    ValidationFailed = "validation.failed", 400, "A field is not valid";
    /// No `Authorization: Bearer`.
    AuthTokenMissing = "auth.token_missing", 401, "Sign in first";
    /// The token is not one of ours, or was altered.
    AuthTokenInvalid = "auth.token_invalid", 401, "The access token is not valid";
    /// The token was good once.
    AuthTokenExpired = "auth.token_expired", 401, "The access token has expired";
    /// The session of the token was ended.
    AuthSessionRevoked = "auth.session_revoked", 401, "The session was ended";
    /// The refresh token is not one of ours, or its session is over.
    AuthRefreshInvalid = "auth.refresh_invalid", 401, "The refresh token is not valid";
    /// The refresh token was used before; its session is now ended, since one of the two users may be a thief.
    AuthRefreshReused = "auth.refresh_reused", 401, "The refresh token was used before";
    /// Whether the session was ended cannot be found out now, and the request is one that must not be served without knowing.
    AuthRevocationUnknown = "auth.revocation_unknown", 503, "Whether the session is still open is not known";
    /// The nonce was used, has expired or was never given out.
    AuthNonceUsed = "auth.nonce_used", 400, "The sign-in nonce is used, expired or unknown";
    /// The wallet did not sign this message.
    AuthSignatureInvalid = "auth.signature_invalid", 401, "The wallet signature is not valid";
    /// An `X-HMAC-Signature` was sent (or is required) and does not hold.
    AuthHmacInvalid = "auth.hmac_invalid", 401, "The request signature is not valid";
    /// The caller is known but may not do this.
    PermissionDenied = "permission.denied", 403, "Not allowed";
    /// No such route or object, or not the caller's.
    NotFound = "not_found", 404, "Not found";
    /// The route needs an `Idempotency-Key`, or the one that was sent is not of its form.
    IdempotencyKeyMissing = "idempotency.key_missing", 400, "Send an Idempotency-Key";
    /// The first request with this key is still being served.
    IdempotencyInProgress = "idempotency.in_progress", 409, "The first request with this key is still running";
    /// The key came with another request before.
    IdempotencyKeyReused = "idempotency.key_reused", 422, "The Idempotency-Key belongs to another request";
    /// The wallet belongs to another user.
    WalletTaken = "wallet.taken", 409, "The wallet belongs to another user";
    /// The user has as many wallets as one may have.
    WalletLimitReached = "wallet.limit_reached", 409, "No more wallets can be linked";
    /// The proof does not show that the caller holds the device's key now.
    DeviceProofInvalid = "device.proof_invalid", 400, "The device proof is not valid";
    /// The device belongs to another user.
    DeviceTaken = "device.taken", 409, "The device is registered to another user";
    /// The user has as many devices as one may have.
    DeviceLimitReached = "device.limit_reached", 409, "No more devices can be registered";
    /// The credential was not made by an authenticator for this device, now and here.
    CredentialInvalid = "credential.invalid", 400, "The credential is not valid";
    /// The credential belongs to another device.
    CredentialTaken = "credential.taken", 409, "The credential is registered to another device";
    /// The device has as many credentials as one may have.
    CredentialLimitReached = "credential.limit_reached", 409, "No more credentials can be registered";
    /// This VAU was accepted before; `data` is the first answer.
    VauDuplicate = "vau.duplicate", 400, "This VAU was already accepted";
    /// A different VAU with the same id was accepted before.
    VauConflicting = "vau.conflicting", 409, "Another VAU with this id was already accepted";
    /// The timestamp is too old.
    VauStale = "vau.stale", 400, "The VAU is too old";
    /// The timestamp is ahead of our clock.
    VauFuture = "vau.future", 400, "The VAU's timestamp lies in the future";
    /// The device did not sign these fields.
    VauSignatureInvalid = "vau.signature_invalid", 400, "The device signature is not valid";
    /// The device is not registered to the user.
    VauDeviceUnknown = "vau.device_unknown", 400, "The device is not registered to this user";
    /// The device's trust score is too low.
    VauLowTrust = "vau.low_trust", 400, "The device is not trusted enough";
    /// The batch holds no VAU, or more than it may.
    VauBatchSize = "vau.batch_size", 400, "A batch holds 1 to 100 VAUs";
    /// The account does not hold as much.
    LedgerInsufficientFunds = "ledger.insufficient_funds", 400, "Not enough funds";
    /// Nothing can leave the account now.
    LedgerAccountFrozen = "ledger.account_frozen", 403, "The account is frozen";
    /// There is no such pool, or it takes no stakes.
    StakePoolNotFound = "stake.pool_not_found", 404, "Staking pool not found or inactive";
    /// The pool takes no stake as small as this.
    StakeBelowMinimum = "stake.below_minimum", 400, "The stake is below the pool's minimum";
    /// The caller has staked less than is to be taken back.
    StakeInsufficientBalance = "stake.insufficient_balance", 400, "Insufficient staked balance";
    /// The last stake was too short a time ago.
    StakeCoolingDown = "stake.cooling_down", 409, "The stake cannot be taken back yet";
    /// The caller has nothing in this pool.
    StakeNotFound = "stake.not_found", 404, "No active stake found";
    /// Nothing was earned since the last claim.
    StakeNothingToClaim = "stake.nothing_to_claim", 400, "No rewards to claim";
    /// Rewards cannot be distributed: there is nobody to get them.
    StakeNoStakers = "stake.no_stakers", 409, "Nobody has staked in the pool";
    /// Less than the least that can be paid out, or the fees would leave nothing.
    PayoutBelowMinimum = "payout.below_minimum", 400, "The payout is below the minimum";
    /// The influencer has a payout that is not over.
    PayoutAlreadyOpen = "payout.already_open", 409, "There is an open payout";
    /// The payout is under way or over.
    PayoutNotCancellable = "payout.not_cancellable", 409, "The payout cannot be called off any more";
    /// The payout is kept back while somebody looks into it.
    PayoutHeld = "payout.held", 409, "The payout is held";
    /// The payout is not in a state that admits this, as one that is paid already.
    PayoutStateConflict = "payout.state_conflict", 409, "The payout's state does not admit this";
    /// Nobody decides about a payout to oneself.
    PayoutOwnApproval = "payout.own_approval", 403, "Another person has to decide about this payout";
    /// Nothing here pays by this method.
    PayoutMethodUnavailable = "payout.method_unavailable", 501, "Payouts by this method are not available";
    /// The user is an influencer already.
    InfluencerExists = "influencer.exists", 409, "The user is an influencer already";
    /// Another influencer has the name.
    InfluencerUsernameTaken = "influencer.username_taken", 409, "The username is taken";
    /// The firewall takes something in the request for an attack.
    FirewallBlocked = "firewall.blocked", 403, "The request was refused";
    /// The request looks like a machine's; `data` has a task whose solution, in `X-Challenge-Proof`, lets it through.
    ChallengeRequired = "challenge.required", 403, "Solve the challenge and send the request again";
    /// The proof was used, has expired, or is for somebody else; without one the answer has a new challenge.
    ChallengeInvalid = "challenge.invalid", 403, "The challenge's proof is not valid";
    /// The request comes from a country that may not be served.
    GeoBlocked = "geo.blocked", 451, "Not available in this country";
    /// Too many requests; `Retry-After` says when to come back.
    RateLimited = "rate.limited", 429, "Too many requests";
    /// The device has been credited as often as it can be today.
    VauDeviceCap = "vau.device_cap", 429, "The device has reached its daily limit";
    /// What a day at no cost holds is used up; nothing that was accepted is lost.
    QuotaFreeTierExhausted = "quota.free_tier_exhausted", 503, "The day's free allowance is used up";
    /// A database, cache or service that the request needs does not answer.
    DependencyUnavailable = "dependency.unavailable", 503, "A part of the platform is not available";
    /// Our fault; the request id finds it in our logs.
    Internal = "internal", 500, "Internal error";
}

impl Code {
    /// Whether the same request may succeed later without a change.
    pub const fn retryable(self) -> bool {
        matches!(self.status(), 408 | 425 | 429 | 503)
            || matches!(self, Self::IdempotencyInProgress)
    }

    /// The code with this text.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| serde::de::Error::custom("unknown error code"))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let texts: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": texts })
    }
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field; empty for the whole body.
    pub pointer: String,
    /// What is wrong with it and what to send instead. Never repeats the input.
    pub message: String,
}

/// An error body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// `urn:twist:problem:` and the code.
    #[serde(rename = "type")]
    pub type_: String,
    /// The same sentence for every occurrence of the code.
    pub title: String,
    /// The HTTP status, again.
    pub status: u16,
    /// What is wrong this time and what to do.
    pub detail: String,
    /// The path that was called.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
    /// Always false.
    pub success: bool,
    /// The same as `detail`.
    pub error: String,
    /// Stable; match on this.
    pub code: Code,
    /// Finds the request in our logs.
    pub request_id: String,
    /// Whether to try the same request again.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after_ms: Option<u64>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
    /// What an earlier, equal request was answered (duplicates only).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<serde_json::Value>,
}

impl Problem {
    /// A body for `code`, saying `detail`.
    pub fn new(code: Code, detail: impl Into<String>, request_id: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            type_: format!("urn:twist:problem:{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            error: detail.clone(),
            detail,
            instance: None,
            success: false,
            code,
            request_id: request_id.into(),
            retryable: code.retryable(),
            retry_after_ms: None,
            errors: Vec::new(),
            data: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_codes_share_a_text_and_each_is_found_by_it() {
        let texts: BTreeSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::from_text(code.as_str()), Some(*code));
            assert!((400..600).contains(&code.status()));
        }
    }

    #[test]
    fn a_client_that_reads_only_the_envelope_still_sees_a_failure() {
        let body = serde_json::to_value(Problem::new(Code::VauStale, "too old", "r1")).unwrap();
        assert_eq!(body["success"], false);
        assert_eq!(body["error"], "too old");
        assert_eq!(body["code"], "vau.stale");
        assert_eq!(body["requestId"], "r1");
        assert_eq!(body["type"], "urn:twist:problem:vau.stale");
    }
}
