//! Lists as the driver sends them.

use sea_orm::Value;
use uuid::Uuid;

pub(crate) fn uuids(items: impl Iterator<Item = Uuid>) -> Value {
    Value::Array(
        sea_orm::sea_query::ArrayType::Uuid,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

pub(crate) fn texts(items: impl Iterator<Item = String>) -> Value {
    Value::Array(
        sea_orm::sea_query::ArrayType::String,
        Some(Box::new(items.map(Value::from).collect())),
    )
}

pub(crate) fn bigints(items: impl Iterator<Item = i64>) -> Value {
    Value::Array(
        sea_orm::sea_query::ArrayType::BigInt,
        Some(Box::new(items.map(Value::from).collect())),
    )
}
