//! The one error that handlers return, and its way to the wire.

use crate::limit::Decision;
use crate::redis::RedisError;
use crate::{db, server};
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as ApiResponse, SchemaObject};
use axum::response::{IntoResponse, Response};
use contracts::{Code, FieldError, Problem, problem};
use http::StatusCode;
use sea_orm::DbErr;
use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

/// How long a caller should wait when a dependency is down.
const DEPENDENCY_RETRY: Duration = Duration::from_secs(1);

/// What a request is answered when it cannot be served. Everything in it may be shown to the caller; what
/// only operators may see is logged where it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The stable code; it also fixes the status.
    pub code: Code,
    /// One sentence for the person who reads the answer. Never repeats input.
    pub detail: Cow<'static, str>,
    /// The fields that are wrong.
    pub errors: Vec<FieldError>,
    /// When to come back.
    pub retry_after: Option<Duration>,
    /// What an earlier, equal request was answered.
    pub data: Option<serde_json::Value>,
    /// The limit that the caller is over.
    pub(crate) limit: Option<Box<Decision>>,
}

impl ApiError {
    /// `code`, said in the words of `detail`.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            data: None,
            limit: None,
        }
    }

    /// `code`, said in the words of its title.
    pub fn of(code: Code) -> Self {
        Self::new(code, code.title())
    }

    /// One field is not valid. `pointer` is a JSON pointer, `""` for the whole body.
    pub fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(Code::ValidationFailed).with_field(pointer, message)
    }

    /// A dependency does not answer: 503 with `Retry-After`. `cause` is logged, not shown.
    pub fn unavailable(dependency: &'static str, cause: &dyn Display) -> Self {
        tracing::warn!(dependency, cause = %cause, "dependency unavailable");
        let mut error = Self::of(Code::DependencyUnavailable);
        error.retry_after = Some(DEPENDENCY_RETRY);
        error
    }

    /// Our fault: 500. `cause` is logged, not shown.
    pub fn internal(cause: &dyn Display) -> Self {
        tracing::error!(cause = %cause, "internal error");
        Self::new(
            Code::Internal,
            "Something went wrong on our side; the request id finds it in our logs.",
        )
    }

    /// Adds a field that is wrong.
    #[must_use]
    pub fn with_field(mut self, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        self.errors.push(FieldError {
            pointer: pointer.into(),
            message: message.into(),
        });
        self
    }

    /// Says when to come back.
    #[must_use]
    pub const fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says which limit the caller is over.
    #[must_use]
    pub(crate) fn with_limit(mut self, limit: Decision) -> Self {
        self.limit = Some(Box::new(limit));
        self
    }

    /// Carries the answer of an earlier, equal request.
    #[must_use]
    pub fn with_data(mut self, data: serde_json::Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The status of the code.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The body.
    pub fn to_problem(&self, request_id: &str, instance: Option<String>) -> Problem {
        let mut body = Problem::new(self.code, self.detail.clone(), request_id);
        body.instance = instance;
        body.errors.clone_from(&self.errors);
        body.data.clone_from(&self.data);
        body.retry_after_ms = self
            .retry_after
            .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        body
    }
}

impl IntoResponse for ApiError {
    /// The error travels beside the response; the shell writes the body, since only it knows the request.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        server::carry_error(&mut response, self);
        response
    }
}

impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        if db::is_unavailable(&error) {
            Self::unavailable("postgres", &error)
        } else {
            Self::internal(&error)
        }
    }
}

impl<E> From<sea_orm::TransactionError<E>> for ApiError
where
    E: Into<Self> + std::error::Error,
{
    fn from(error: sea_orm::TransactionError<E>) -> Self {
        match error {
            sea_orm::TransactionError::Connection(error) => error.into(),
            sea_orm::TransactionError::Transaction(error) => error.into(),
        }
    }
}

impl From<RedisError> for ApiError {
    fn from(error: RedisError) -> Self {
        Self::unavailable("redis", &error)
    }
}

impl Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for ApiError {}

impl OperationOutput for ApiError {
    type Inner = Problem;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<ApiResponse> {
        let media = MediaType {
            schema: Some(SchemaObject {
                json_schema: context.schema.subschema_for::<Problem>(),
                example: None,
                external_docs: None,
            }),
            ..MediaType::default()
        };
        Some(ApiResponse {
            description: "A problem; `code` is stable.".to_owned(),
            content: std::iter::once((problem::MEDIA_TYPE.to_owned(), media)).collect(),
            ..ApiResponse::default()
        })
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<aide::openapi::StatusCode>, ApiResponse)> {
        Self::operation_response(context, operation)
            .map(|response| (None, response))
            .into_iter()
            .collect()
    }
}
