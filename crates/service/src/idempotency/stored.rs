//! Answers in the database.

use super::RequestKey;
use crate::ApiError;
use axum::body::Bytes;
use contracts::{Code, FieldError};
use http::StatusCode;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;
use uuid::Uuid;

/// How often answers that are too old are removed.
const SWEEP_EVERY: Duration = Duration::from_mins(10);

/// What a request was answered, and which request that was.
pub(super) struct Stored {
    pub(super) request_hash: Vec<u8>,
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// A refusal as it is kept: all that the caller saw, but for the id of the request.
#[derive(Serialize, Deserialize)]
struct Refusal {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    data: Option<serde_json::Value>,
}

/// The body to keep of a refusal.
pub(super) fn refusal_to_bytes(error: &ApiError) -> Result<Vec<u8>, ApiError> {
    let refusal = Refusal {
        code: error.code,
        detail: error.detail.clone().into_owned(),
        errors: error.errors.clone(),
        data: error.data.clone(),
    };
    serde_json::to_vec(&refusal).map_err(|error| ApiError::internal(&error))
}

/// The refusal that was kept.
pub(super) fn refusal_from_bytes(body: &[u8]) -> ApiError {
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => ApiError {
            code: refusal.code,
            detail: Cow::Owned(refusal.detail),
            errors: refusal.errors,
            retry_after: None,
            data: refusal.data,
            limit: None,
        },
        Err(error) => ApiError::internal(&error),
    }
}

/// Takes the turn of the key until the transaction ends; false if another request has it.
pub(super) async fn take_turn(
    tx: &DatabaseTransaction,
    user: Uuid,
    key: &RequestKey,
) -> Result<bool, DbErr> {
    let name = format!("{user} {} {}", key.route(), key.key());
    let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken";
    tx.query_one_raw(statement(sql, [name.into()]))
        .await?
        .map_or(Ok(false), |row| row.try_get("", "taken"))
}

/// What the key was answered. An answer that is too old and was not swept yet is removed, so that it is not in the way
/// of the next one.
pub(super) async fn find(
    tx: &DatabaseTransaction,
    user: Uuid,
    key: &RequestKey,
) -> Result<Option<Stored>, DbErr> {
    let values = || [user.into(), key.route().into(), key.key().into()];
    let sql = "SELECT request_hash, status, body, expires_at > now() AS kept FROM idempotency_keys \
               WHERE user_id = $1 AND route = $2 AND key = $3";
    let Some(row) = tx.query_one_raw(statement(sql, values())).await? else {
        return Ok(None);
    };
    if !row.try_get("", "kept")? {
        let sql = "DELETE FROM idempotency_keys WHERE user_id = $1 AND route = $2 AND key = $3";
        tx.execute_raw(statement(sql, values())).await?;
        return Ok(None);
    }
    let status: i16 = row.try_get("", "status")?;
    let status = u16::try_from(status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| DbErr::Type("a stored status is none".to_owned()))?;
    let body: Vec<u8> = row.try_get("", "body")?;
    Ok(Some(Stored {
        request_hash: row.try_get("", "request_hash")?,
        status,
        body: body.into(),
    }))
}

pub(super) async fn keep(
    tx: &DatabaseTransaction,
    user: Uuid,
    key: &RequestKey,
    answer: &Stored,
    keep: Duration,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO idempotency_keys (user_id, route, key, request_hash, status, body, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))";
    let seconds = i64::try_from(keep.as_secs()).unwrap_or(i64::MAX);
    let status = i16::try_from(answer.status.as_u16()).unwrap_or(i16::MAX);
    let values = [
        user.into(),
        key.route().into(),
        key.key().into(),
        answer.request_hash.clone().into(),
        status.into(),
        answer.body.to_vec().into(),
        seconds.into(),
    ];
    tx.execute_raw(statement(sql, values)).await.map(|_| ())
}

/// Removes answers that are too old, for as long as the process runs. Any number of instances may.
pub async fn sweep(database: DatabaseConnection) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let sql = "DELETE FROM idempotency_keys WHERE expires_at <= now()";
        if let Err(error) = database.execute_unprepared(sql).await {
            tracing::warn!(cause = %error, "old answers could not be removed");
        }
    }
}

fn statement<const N: usize>(sql: &str, values: [sea_orm::Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
