//! Who a user is.

use domain::WalletAddress;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

/// A user with the wallets that are linked to it.
#[derive(Debug, Clone)]
pub struct User {
    /// What the user may do.
    pub roles: Vec<String>,
    /// When the user signed in first.
    pub created_at: OffsetDateTime,
    /// Linked wallets, oldest first.
    pub wallets: Vec<WalletAddress>,
}

/// The user `uid`, if there is one.
pub async fn find(db: &impl ConnectionTrait, uid: Uuid) -> Result<Option<User>, DbErr> {
    let sql = "SELECT u.roles, u.created_at, \
                   array(SELECT address FROM wallets w WHERE w.user_id = u.id ORDER BY linked_at, address) \
                   AS wallets \
               FROM users u WHERE u.id = $1";
    let row = db
        .query_one_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            [uid.into()],
        ))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let wallets: Vec<String> = row.try_get("", "wallets")?;
    Ok(Some(User {
        roles: row.try_get("", "roles")?,
        created_at: row.try_get("", "created_at")?,
        wallets: wallets
            .iter()
            .map(|text| WalletAddress::try_from(text.as_str()))
            .collect::<Result<_, _>>()
            .map_err(|error| DbErr::Type(error.to_string()))?,
    }))
}
