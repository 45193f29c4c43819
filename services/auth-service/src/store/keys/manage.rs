//! What an operator does with signing keys.

use super::table::{record, seconds_until};
use super::{KeyError, KeyRing};
use crate::domain::key_life::{KeyRecord, KeyState};
use crate::store::entity::signing_keys::{Column, Entity};
use sea_orm::{EntityTrait as _, QueryOrder as _};
use time::OffsetDateTime;

/// Why a key was not rotated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RotateError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{kid} is announced already and takes over in {seconds} s")]
    Announced { kid: String, seconds: u64 },
    #[error("no key is announced; announce one with `keys rotate` first")]
    NothingAnnounced,
    #[error(
        "{kid} was announced a moment ago: some verifiers do not know it yet and would refuse its tokens. \
         Try again in {seconds} s; if the active key leaked, use --emergency"
    )]
    TooSoon { kid: String, seconds: u64 },
    #[error("there is no key {kid}; see `keys list`")]
    Unknown { kid: String },
    #[error(
        "key_encryption_key opens none of the keys in use, so no service could sign with a key that is made with it. \
         Nothing was changed: try again with the key_encryption_key of the running services"
    )]
    OtherSealingKey,
}

impl From<sea_orm::DbErr> for RotateError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Key(error.into())
    }
}

/// What an emergency came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Retired {
    /// The key is no longer believed; it signed, so another one does now.
    Replaced {
        /// That one.
        by: String,
    },
    /// The key is no longer believed; another one signs.
    Only,
    /// It had been retired before.
    Before,
}

impl KeyRing {
    /// Every key there ever was, newest first, without secrets.
    pub(crate) async fn list(&self) -> Result<Vec<KeyRecord>, KeyError> {
        let rows = Entity::find()
            .order_by_desc(Column::CreatedAt)
            .order_by_asc(Column::Kid)
            .all(&self.table().database)
            .await?;
        Ok(rows.iter().filter_map(record).collect())
    }

    /// Announces a key; its name and when it takes over.
    pub(crate) async fn announce(&self) -> Result<(String, OffsetDateTime), RotateError> {
        let table = self.table();
        table.settled().await?;
        let change = table.change().await?;
        let found = table.rows(&change.transaction).await?;
        if let Some(key) = self.announced(&found.rows) {
            let seconds = seconds_until(table.policy.takes_over(&key), found.at);
            return Err(RotateError::Announced {
                kid: key.kid,
                seconds,
            });
        }
        let kid = change.make_key(KeyState::Announced).await?;
        change.transaction.commit().await?;
        Ok((kid, found.at + table.policy.announce))
    }

    /// Makes the announced key take over now, if verifiers can have seen it; its name.
    pub(crate) async fn activate_now(&self) -> Result<String, RotateError> {
        let table = self.table();
        let before = self.announced(&table.rows(&table.database).await?.rows);
        table.settled().await?;
        let change = table.change().await?;
        let found = table.rows(&change.transaction).await?;
        let Some(key) = self.announced(&found.rows) else {
            // It may just have taken over by itself.
            return before
                .map(|key| key.kid)
                .ok_or(RotateError::NothingAnnounced);
        };
        let seen = key.created_at + table.policy.seen;
        if seen > found.at {
            let seconds = seconds_until(seen, found.at);
            return Err(RotateError::TooSoon {
                kid: key.kid,
                seconds,
            });
        }
        let active = found.rows.iter().find(|row| row.state == "active");
        change
            .activate(&key.kid, active.map(|row| row.kid.as_str()))
            .await?;
        change.transaction.commit().await?;
        Ok(key.kid)
    }

    /// Stops believing a key at once. If it is the one that signs, another one signs from now on: the announced one if
    /// verifiers know it by now, else a new one, which they meet as unknown and ask for. Refused with a sealing key that
    /// is not the services': they could not open what it seals, and nothing would sign any more.
    pub(crate) async fn retire_now(&self, kid: &str) -> Result<Retired, RotateError> {
        let table = self.table();
        let change = table.change().await?;
        let row = Entity::find_by_id(kid.to_owned())
            .one(&change.transaction)
            .await?
            .ok_or_else(|| RotateError::Unknown {
                kid: kid.to_owned(),
            })?;
        let retired = match KeyState::from_text(&row.state) {
            Some(KeyState::Retired) => return Ok(Retired::Before),
            Some(KeyState::Active) => {
                let found = table.rows(&change.transaction).await?;
                if !found.rows.iter().any(|row| table.open(row).is_ok()) {
                    return Err(RotateError::OtherSealingKey);
                }
                let known = |key: &KeyRecord| key.created_at + table.policy.seen <= found.at;
                let next = self.announced(&found.rows).filter(known);
                change.retire(kid).await?;
                let by = match next {
                    Some(next) => {
                        change.activate(&next.kid, None).await?;
                        next.kid
                    }
                    None => change.make_key(KeyState::Active).await?,
                };
                Retired::Replaced { by }
            }
            _ => {
                change.retire(kid).await?;
                Retired::Only
            }
        };
        change.transaction.commit().await?;
        Ok(retired)
    }

    fn announced(&self, rows: &[crate::store::entity::signing_keys::Model]) -> Option<KeyRecord> {
        rows.iter()
            .filter(|row| self.table().open(row).is_ok())
            .filter_map(record)
            .filter(|key| key.state == KeyState::Announced)
            .min_by_key(|key| key.created_at)
    }
}
