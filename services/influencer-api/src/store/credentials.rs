//! `WebAuthn` credentials of devices.

use super::values::from_column;
use contracts::device::{Credential, MAX_CREDENTIALS_PER_DEVICE, RegisteredCredential};
use domain::DeviceId;
use edge_core::attestation::NewCredential;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// New.
    Created(RegisteredCredential),
    /// It was registered to this device, with this key, before.
    Existing(RegisteredCredential),
    /// The caller has no such device.
    NoDevice,
    /// It belongs to another device, has another key, or was taken out of use.
    Taken,
    /// The device has [`MAX_CREDENTIALS_PER_DEVICE`] credentials.
    LimitReached,
}

const COLUMNS: &str = "credential_id, device_id, algorithm, aaguid, user_verified, registered_at";

/// Registers `new` to `device` of `uid`. Two at once for one device wait for each other.
pub async fn register(
    tx: &DatabaseTransaction,
    uid: Uuid,
    device: DeviceId,
    new: &NewCredential,
) -> Result<Registration, DbErr> {
    let lock = "SELECT 1 FROM devices WHERE device_id = $1 AND user_id = $2 AND revoked_at IS NULL \
                FOR UPDATE";
    let values = vec![device.to_string().into(), uid.into()];
    if tx.query_one_raw(statement(lock, values)).await?.is_none() {
        return Ok(Registration::NoDevice);
    }
    let own = format!(
        "SELECT {COLUMNS} FROM device_credentials WHERE credential_id = $1 AND device_id = $2 \
         AND public_key = $3 AND revoked_at IS NULL"
    );
    let same = || {
        vec![
            new.credential_id.clone().into(),
            device.to_string().into(),
            new.public_key.clone().into(),
        ]
    };
    if let Some(row) = tx.query_one_raw(statement(&own, same())).await? {
        return Ok(Registration::Existing(read(&row)?));
    }
    let counted =
        "SELECT count(*) AS n FROM device_credentials WHERE device_id = $1 AND revoked_at IS NULL";
    let row = tx
        .query_one_raw(statement(counted, vec![device.to_string().into()]))
        .await?;
    let there: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    if there >= i64::from(MAX_CREDENTIALS_PER_DEVICE) {
        return Ok(Registration::LimitReached);
    }
    let insert = format!(
        "INSERT INTO device_credentials (credential_id, device_id, public_key, algorithm, sign_count, \
         aaguid, format, user_verified) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (credential_id) DO NOTHING RETURNING {COLUMNS}"
    );
    let mut values: Vec<sea_orm::Value> = same();
    values.extend([
        new.algorithm.into(),
        i64::from(new.sign_count).into(),
        Uuid::from_bytes(new.aaguid).into(),
        new.format.clone().into(),
        new.user_verified.into(),
    ]);
    match tx.query_one_raw(statement(&insert, values)).await? {
        Some(row) => Ok(Registration::Created(read(&row)?)),
        None => Ok(Registration::Taken),
    }
}

/// What the edge needs to check signatures of `device`'s authenticators, oldest first.
pub async fn of_device(
    db: &impl ConnectionTrait,
    device: DeviceId,
) -> Result<Vec<Credential>, DbErr> {
    let sql = "SELECT credential_id, public_key, sign_count FROM device_credentials \
               WHERE device_id = $1 AND revoked_at IS NULL ORDER BY registered_at, credential_id";
    let rows = db
        .query_all_raw(statement(sql, vec![device.to_string().into()]))
        .await?;
    rows.iter()
        .map(|row| {
            let sign_count: i64 = row.try_get("", "sign_count")?;
            Ok(Credential {
                credential_id: row.try_get("", "credential_id")?,
                public_key: row.try_get("", "public_key")?,
                sign_count: u32::try_from(sign_count)
                    .map_err(|error| DbErr::Type(error.to_string()))?,
            })
        })
        .collect()
}

fn statement(sql: &str, values: Vec<sea_orm::Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

fn read(row: &QueryResult) -> Result<RegisteredCredential, DbErr> {
    let device: String = row.try_get("", "device_id")?;
    let registered_at: OffsetDateTime = row.try_get("", "registered_at")?;
    Ok(RegisteredCredential {
        credential_id: row.try_get("", "credential_id")?,
        device_id: DeviceId::try_from(device.as_str())
            .map_err(|error| DbErr::Type(error.to_string()))?,
        algorithm: row.try_get("", "algorithm")?,
        aaguid: row.try_get("", "aaguid")?,
        user_verified: row.try_get("", "user_verified")?,
        registered_at: from_column(registered_at),
    })
}
