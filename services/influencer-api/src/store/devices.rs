//! Devices of users.

use super::values::from_column;
use contracts::device::{Device, MAX_DEVICES_PER_USER};
use domain::{DeviceId, WalletAddress};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// New.
    Created(Device),
    /// It was registered to this user and wallet before.
    Existing(Device),
    /// It belongs to another user or wallet, or was taken out of use.
    Taken,
    /// The user has [`MAX_DEVICES_PER_USER`] devices.
    LimitReached,
}

const COLUMNS: &str = "device_id, wallet_address, registered_at";

/// Registers `device` to `uid`, signed in with `wallet`. Two at once for one user wait for each other.
pub async fn register(
    tx: &DatabaseTransaction,
    uid: Uuid,
    wallet: WalletAddress,
    device: DeviceId,
) -> Result<Registration, DbErr> {
    let lock = "SELECT id FROM users WHERE id = $1 FOR UPDATE";
    tx.query_one_raw(statement(lock, [uid.into()])).await?;
    let counted = "SELECT count(*) AS n FROM devices WHERE user_id = $1 AND revoked_at IS NULL \
                   AND device_id <> $2";
    let others: i64 = tx
        .query_one_raw(statement(counted, [uid.into(), device.to_string().into()]))
        .await?
        .map_or(Ok(0), |row| row.try_get("", "n"))?;
    if others >= i64::from(MAX_DEVICES_PER_USER) {
        return Ok(Registration::LimitReached);
    }
    let insert = format!(
        "INSERT INTO devices (device_id, user_id, wallet_address) VALUES ($1, $2, $3) \
         ON CONFLICT (device_id) DO NOTHING RETURNING {COLUMNS}"
    );
    let values = [
        device.to_string().into(),
        uid.into(),
        wallet.to_string().into(),
    ];
    if let Some(row) = tx.query_one_raw(statement(&insert, values)).await? {
        return Ok(Registration::Created(read(&row)?));
    }
    let own = format!(
        "SELECT {COLUMNS} FROM devices \
         WHERE device_id = $1 AND user_id = $2 AND wallet_address = $3 AND revoked_at IS NULL"
    );
    let values = [
        device.to_string().into(),
        uid.into(),
        wallet.to_string().into(),
    ];
    match tx.query_one_raw(statement(&own, values)).await? {
        Some(row) => Ok(Registration::Existing(read(&row)?)),
        None => Ok(Registration::Taken),
    }
}

/// The devices of `uid` that are in use, newest first.
pub async fn list(db: &impl ConnectionTrait, uid: Uuid) -> Result<Vec<Device>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM devices WHERE user_id = $1 AND revoked_at IS NULL \
         ORDER BY registered_at DESC, device_id"
    );
    db.query_all_raw(statement(&sql, [uid.into()]))
        .await?
        .iter()
        .map(read)
        .collect()
}

/// A device in use, whoever owns it: for the edge, which is told the owner's wallet.
pub async fn find_for_edge(
    db: &impl ConnectionTrait,
    device: DeviceId,
) -> Result<Option<Device>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM devices WHERE device_id = $1 AND revoked_at IS NULL");
    db.query_one_raw(statement(&sql, [device.to_string().into()]))
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

fn statement<const N: usize>(sql: &str, values: [sea_orm::Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

fn read(row: &QueryResult) -> Result<Device, DbErr> {
    let malformed = |error: domain::IdError| DbErr::Type(error.to_string());
    let device: String = row.try_get("", "device_id")?;
    let wallet: String = row.try_get("", "wallet_address")?;
    let registered_at: OffsetDateTime = row.try_get("", "registered_at")?;
    Ok(Device {
        device_id: DeviceId::try_from(device.as_str()).map_err(malformed)?,
        user_id: WalletAddress::try_from(wallet.as_str()).map_err(malformed)?,
        registered_at: from_column(registered_at),
        credentials: Vec::new(),
    })
}
