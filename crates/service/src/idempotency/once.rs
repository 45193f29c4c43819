//! Running an effect once.

use super::RequestKey;
use super::stored::{self, Stored};
use crate::ApiError;
use crate::auth::Principal;
use crate::extract::Json;
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as ApiResponse};
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use contracts::Code;
use failpoint::Point;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use sea_orm::{DatabaseConnection, DatabaseTransaction, TransactionTrait as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;
use uuid::Uuid;

/// How long an answer is kept.
pub const KEEP_A_DAY: Duration = Duration::from_hours(24);
/// How long an answer is kept where money moved.
pub const KEEP_A_MONTH: Duration = Duration::from_hours(30 * 24);

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What an effect does in its transaction, and what it is answered with.
pub type Effect<'c, T> =
    Pin<Box<dyn Future<Output = Result<(StatusCode, T), ApiError>> + Send + 'c>>;

/// The answer of an effect, or of the equal request before.
#[derive(Debug)]
pub struct Answer<T> {
    outcome: Result<(StatusCode, Bytes), ApiError>,
    replayed: bool,
    of: PhantomData<fn() -> T>,
}

/// Runs `effect` in a transaction. With a `key`, at most once for `caller` and `request`; without, as often as asked.
///
/// The effect must do all it does in the transaction that it is given: that is what is undone when it fails.
pub async fn once<T, R, F>(
    database: &DatabaseConnection,
    caller: &Principal,
    key: Option<&RequestKey>,
    request: &R,
    keep: Duration,
    effect: F,
) -> Result<Answer<T>, ApiError>
where
    T: Serialize,
    R: Serialize,
    F: for<'c> FnOnce(&'c DatabaseTransaction) -> Effect<'c, T>,
{
    let tx = database.begin().await?;
    let Some(key) = key else {
        // Dropping the transaction undoes it.
        let (status, value) = effect(&tx).await?;
        let answer = Answer::new(status, &value)?;
        tx.commit().await?;
        return Ok(answer);
    };
    let request_hash = hash(key, request)?;
    if let Some(before) = before(&tx, caller.uid, key, &request_hash).await? {
        return Ok(before.replay());
    }
    let attempt = tx.begin().await?;
    let outcome = effect(&attempt).await;
    let (status, body) = match &outcome {
        Ok((status, value)) => {
            attempt.commit().await?;
            (*status, to_bytes(value)?)
        }
        Err(error) if error.status().is_client_error() => {
            attempt.rollback().await?;
            (error.status(), stored::refusal_to_bytes(error)?.into())
        }
        Err(_) => return outcome.and_then(|(status, value)| Answer::new(status, &value)),
    };
    let answer = Stored {
        request_hash,
        status,
        body,
    };
    stored::keep(&tx, caller.uid, key, &answer, keep).await?;
    failpoint::here(Point::OnceBeforeCommit);
    tx.commit().await?;
    failpoint::here(Point::OnceAfterCommit);
    outcome.map(|_| Answer::of(Ok((status, answer.body)), false))
}

/// What the key was answered before, if it was.
async fn before(
    tx: &DatabaseTransaction,
    user: Uuid,
    key: &RequestKey,
    request_hash: &[u8],
) -> Result<Option<Stored>, ApiError> {
    if !stored::take_turn(tx, user, key).await? {
        return Err(ApiError::new(
            Code::IdempotencyInProgress,
            "The first request with this Idempotency-Key is still running; try again in a second.",
        )
        .with_retry_after(Duration::from_secs(1)));
    }
    match stored::find(tx, user, key).await? {
        Some(before) if before.request_hash != request_hash => Err(ApiError::new(
            Code::IdempotencyKeyReused,
            "This Idempotency-Key was sent with another request; use a new one.",
        )),
        before => Ok(before),
    }
}

impl Stored {
    fn replay<T>(self) -> Answer<T> {
        let outcome = if self.status.is_client_error() {
            Err(stored::refusal_from_bytes(&self.body))
        } else {
            Ok((self.status, self.body))
        };
        Answer::of(outcome, true)
    }
}

impl<T> Answer<T> {
    const fn of(outcome: Result<(StatusCode, Bytes), ApiError>, replayed: bool) -> Self {
        Self {
            outcome,
            replayed,
            of: PhantomData,
        }
    }
}

impl<T: Serialize> Answer<T> {
    fn new(status: StatusCode, value: &T) -> Result<Self, ApiError> {
        Ok(Self::of(Ok((status, to_bytes(value)?)), false))
    }
}

fn to_bytes<T: Serialize>(value: &T) -> Result<Bytes, ApiError> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| ApiError::internal(&error))
}

/// The request as our types read it: two texts of the same JSON are the same request.
fn hash<R: Serialize>(key: &RequestKey, request: &R) -> Result<Vec<u8>, ApiError> {
    let body = to_bytes(request)?;
    let mut hash = Sha256::new();
    hash.update(key.path().as_bytes());
    hash.update([0]);
    hash.update(&body);
    Ok(hash.finalize().to_vec())
}

impl<T> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = match self.outcome {
            Ok((status, body)) => {
                let json = HeaderValue::from_static("application/json");
                (status, [(CONTENT_TYPE, json)], body).into_response()
            }
            Err(refused) => refused.into_response(),
        };
        if self.replayed {
            let headers = response.headers_mut();
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

impl<T: JsonSchema> OperationOutput for Answer<T> {
    type Inner = T;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<ApiResponse> {
        <Json<T>>::operation_response(context, operation)
    }
}
