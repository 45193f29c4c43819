//! What came back.

use crate::edge::api::{ApiError, Token};
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) what: String,
    pub(super) status: StatusCode,
    pub(super) content_type: String,
    pub(super) entrypoint: Option<String>,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
    pub(super) secret: Token,
}

#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    #[serde(default)]
    errors: Vec<Stated>,
    result: Option<T>,
    result_info: Option<Info>,
}

/// Where a list goes on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    pub(super) total_pages: Option<u32>,
    #[serde(default)]
    pub(super) cursor: Option<String>,
    #[serde(default)]
    pub(super) is_truncated: Option<bool>,
}

/// An error as the API states it.
#[derive(Deserialize)]
struct Stated {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
}

impl Answer {
    /// The result of a good answer.
    pub(super) fn result<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        Ok(self.page()?.0)
    }

    /// The result, and where the list goes on.
    pub(super) fn page<T: DeserializeOwned>(self) -> Result<(T, Info), ApiError> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        let unreadable = |why: String| ApiError::Unreadable {
            what: self.what.clone(),
            why,
        };
        let envelope: Envelope<T> =
            serde_json::from_slice(&self.body).map_err(|error| unreadable(error.to_string()))?;
        if !envelope.success {
            return Err(self.refusal());
        }
        let result = envelope
            .result
            .ok_or_else(|| unreadable("it has no result".to_owned()))?;
        Ok((result, envelope.result_info.unwrap_or_default()))
    }

    /// Only whether it went well.
    pub(super) fn done(self) -> Result<(), ApiError> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        match serde_json::from_slice::<Envelope<serde_json::Value>>(&self.body) {
            Ok(envelope) if envelope.success => Ok(()),
            Ok(_) => Err(self.refusal()),
            Err(error) => Err(ApiError::Unreadable {
                what: self.what,
                why: error.to_string(),
            }),
        }
    }

    /// Why it is not a good one.
    pub(super) fn refusal(&self) -> ApiError {
        let what = self.what.clone();
        let status = self.status.as_u16();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            return ApiError::RateLimited {
                what,
                wait: self.retry_after,
            };
        }
        if self.status.is_server_error() {
            return ApiError::Server { what, status };
        }
        let stated = serde_json::from_slice::<Envelope<serde_json::Value>>(&self.body)
            .map(|envelope| envelope.errors)
            .unwrap_or_default();
        let code = stated.first().map_or(0, |error| error.code);
        let mut message = stated
            .iter()
            .map(|error| error.message.trim().trim_end_matches('.'))
            .collect::<Vec<_>>()
            .join("; ");
        // Whoever stands between might send back what it was sent.
        if !self.secret.0.is_empty() {
            message = message.replace(&self.secret.0, "…");
        }
        message.retain(|c| !c.is_control());
        if matches!(status, 401 | 403) {
            ApiError::Token {
                what,
                status,
                message,
            }
        } else {
            ApiError::Refused {
                what,
                status,
                code,
                message,
            }
        }
    }
}
