//! An HTTP answer as it came, for whoever wants to look before believing.

use crate::error::{ClientError, Refusal};
use contracts::{Problem, problem};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use std::time::Duration;

const SHOWN: usize = 200;

/// Status, headers and body of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was called.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(
        url: String,
        response: reqwest::Response,
    ) -> Result<Self, ClientError> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        match response.bytes().await {
            Ok(body) => Ok(Self {
                url,
                status,
                headers,
                body: body.to_vec(),
            }),
            Err(source) => Err(ClientError::Unreachable { url, source }),
        }
    }

    /// The value of a header, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The problem, if this is an error answer as the platform gives them: 4xx or 5xx, the media type, a
    /// body whose status agrees.
    pub fn problem(&self) -> Option<Problem> {
        let typed = self
            .header(CONTENT_TYPE.as_str())
            .is_some_and(|value| value.starts_with(problem::MEDIA_TYPE));
        let problem: Problem = serde_json::from_slice(&self.body).ok()?;
        (typed && self.status >= 400 && problem.status == self.status).then_some(problem)
    }

    /// The body of a success, or why there is none.
    pub fn success<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        if self.status < 300
            && let Ok(body) = serde_json::from_slice(&self.body)
        {
            return Ok(body);
        }
        Err(self.failure())
    }

    /// A success without a body, or why it is none.
    pub fn empty(self) -> Result<(), ClientError> {
        if self.status < 300 && self.body.is_empty() {
            Ok(())
        } else {
            Err(self.failure())
        }
    }

    /// `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header(RETRY_AFTER.as_str())?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    fn failure(self) -> ClientError {
        if let Some(problem) = self.problem() {
            return ClientError::Refused(Box::new(Refusal {
                retry_after: self.retry_after(),
                url: self.url,
                problem,
            }));
        }
        let body = String::from_utf8_lossy(&self.body);
        // What is no problem may be a success with tokens in it, which nobody asked to see.
        let shown = if self.status < 300 { 0 } else { SHOWN };
        ClientError::NotOurs {
            status: self.status,
            body: body.chars().take(shown).collect(),
            url: self.url,
        }
    }
}
