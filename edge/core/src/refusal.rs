//! Why a request is not accepted, on its way to becoming an error body.

use contracts::{Code, FieldError, Problem};

/// An answer that is not a success. Its texts are ours; they never repeat what was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Stable code; gives the HTTP status.
    pub code: Code,
    /// What is wrong and what to do.
    pub detail: &'static str,
    /// The fields that are wrong.
    pub fields: Vec<FieldError>,
    /// How long to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// What an earlier, equal request was answered.
    pub data: Option<serde_json::Value>,
}

impl Refusal {
    /// A refusal without more to say.
    pub const fn new(code: Code, detail: &'static str) -> Self {
        Self {
            code,
            detail,
            fields: Vec::new(),
            retry_after_ms: None,
            data: None,
        }
    }

    /// Names the fields that are wrong.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self {
            fields,
            ..Self::new(
                Code::ValidationFailed,
                "One or more fields are not valid; `errors` says which.",
            )
        }
    }

    /// A part of the platform does not answer; worth trying again in a moment.
    pub const fn unavailable(detail: &'static str) -> Self {
        Self::new(Code::DependencyUnavailable, detail).after(1_000)
    }

    /// Says when to come back.
    #[must_use]
    pub const fn after(mut self, milliseconds: u64) -> Self {
        self.retry_after_ms = Some(milliseconds);
        self
    }

    /// The error body.
    pub fn problem(self, request_id: &str, path: Option<&str>) -> Problem {
        Problem {
            instance: path.map(str::to_owned),
            retry_after_ms: self.retry_after_ms,
            errors: self.fields,
            data: self.data,
            ..Problem::new(self.code, self.detail, request_id)
        }
    }
}
