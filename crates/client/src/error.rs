//! Why a call did not give what was asked for.

use contracts::{Code, Problem};
use std::time::Duration;

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The platform answered with a problem.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// No answer: the platform cannot be reached, or the connection broke.
    #[error("{url} did not answer: {source}")]
    Unreachable {
        /// What was called.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// An answer that is neither the expected body nor a problem.
    #[error("{url} answered {status} with a body that is not of this platform: {body}")]
    NotOurs {
        /// What was called.
        url: String,
        /// HTTP status.
        status: u16,
        /// The start of the body.
        body: String,
    },
    /// A text that is no id, where one was given.
    #[error(transparent)]
    Id(#[from] domain::IdError),
    /// JSON that is no VAU, where one was given.
    #[error("not a VAU: {0}")]
    Vau(#[from] serde_json::Error),
    /// The system has no random numbers.
    #[error("the system gave no random numbers")]
    NoRandomness,
}

/// A problem, and what the headers said.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What was called.
    pub url: String,
    /// The body.
    pub problem: Problem,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Problem {
            status,
            code,
            detail,
            request_id,
            ..
        } = &self.problem;
        write!(
            f,
            "{} answered {status} {code}: {detail} (request {request_id})",
            self.url
        )
    }
}

impl ClientError {
    /// The problem's code, if the platform answered with one.
    pub fn code(&self) -> Option<Code> {
        self.refusal().map(|refusal| refusal.problem.code)
    }

    /// The problem, if the platform answered with one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without a change.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.problem.retryable,
            Self::Unreachable { .. } => true,
            Self::NotOurs { .. } | Self::Id(_) | Self::Vau(_) | Self::NoRandomness => false,
        }
    }
}
