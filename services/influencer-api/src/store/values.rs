//! Arrays as query parameters, and moments as columns.

use domain::EpochMs;
use sea_orm::Value;
use sea_orm::sea_query::ArrayType;
use time::OffsetDateTime;
use uuid::Uuid;

/// `text[]`.
pub(super) fn texts(items: impl Iterator<Item = String>) -> Value {
    Value::Array(
        ArrayType::String,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

/// `bytea[]`.
pub(super) fn blobs(items: impl Iterator<Item = Vec<u8>>) -> Value {
    Value::Array(
        ArrayType::Bytes,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

/// `bigint[]`.
pub(super) fn bigints(items: impl Iterator<Item = i64>) -> Value {
    Value::Array(
        ArrayType::BigInt,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

/// `uuid[]`.
pub(super) fn uuids(items: impl Iterator<Item = Uuid>) -> Value {
    Value::Array(
        ArrayType::Uuid,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

/// `timestamptz[]`.
pub(super) fn moments(items: impl Iterator<Item = EpochMs>) -> Value {
    Value::Array(
        ArrayType::TimeDateTimeWithTimeZone,
        Some(Box::new(
            items.map(|at| Value::from(to_column(at))).collect(),
        )),
    )
}

/// A moment as the database keeps it. Postgres ends in the year 294276; what lies beyond is its last.
pub(super) fn to_column(at: EpochMs) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.get()) * 1_000_000)
        .unwrap_or(time::macros::datetime!(9999-12-31 23:59:59 UTC))
}

/// A moment from the database, in whole milliseconds.
pub(super) fn from_column(at: OffsetDateTime) -> EpochMs {
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .ok()
        .and_then(|ms| EpochMs::new(ms).ok())
        .unwrap_or(EpochMs::MAX)
}
