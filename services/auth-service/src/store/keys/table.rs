//! The table of signing keys, and moving keys on in it.
//!
//! Every change is made under one lock that all instances share, by the database's clock.

use super::{KeyError, thumbprint};
use crate::domain::key_life::{KeyPolicy, KeyRecord, KeyState, Step};
use crate::domain::seal::{SealError, SealingKey};
use crate::store::entity::signing_keys::{ActiveModel, Entity, Model};
use ed25519_dalek::SigningKey;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    FromQueryResult as _, Statement, TransactionTrait as _, Value,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Names the lock: nothing else in the database uses this number.
const LOCK: i64 = 0x7477_6973_745f_6b65;

/// The table, and what is needed to change it.
#[derive(Debug)]
pub(super) struct KeyTable {
    pub(super) database: DatabaseConnection,
    pub(super) sealing: SealingKey,
    pub(super) policy: KeyPolicy,
}

/// The rows that are not retired, and when that was so. A row of which the secret does not open is not one of ours: it
/// takes no part in anything.
pub(super) struct Rows {
    pub(super) rows: Vec<Model>,
    pub(super) at: OffsetDateTime,
}

/// A transaction that no other instance changes keys beside.
pub(super) struct Change<'a> {
    table: &'a KeyTable,
    pub(super) transaction: DatabaseTransaction,
}

impl KeyTable {
    /// The rows, after every change that was due has been made.
    pub(super) async fn settled(&self) -> Result<Rows, KeyError> {
        let found = self.rows(&self.database).await?;
        if self.due(&found)?.is_empty() {
            return Ok(found);
        }
        let change = self.change().await?;
        // Another instance may have made it meanwhile.
        let found = self.rows(&change.transaction).await?;
        for step in self.due(&found)? {
            change.make(&step).await?;
        }
        change.transaction.commit().await?;
        Ok(self.rows(&self.database).await?)
    }

    pub(super) async fn change(&self) -> Result<Change<'_>, DbErr> {
        let transaction = self.database.begin().await?;
        let lock = statement("SELECT pg_advisory_xact_lock($1)", [LOCK.into()]);
        transaction.execute_raw(lock).await?;
        Ok(Change {
            table: self,
            transaction,
        })
    }

    pub(super) async fn rows(&self, connection: &impl ConnectionTrait) -> Result<Rows, DbErr> {
        let sql = "SELECT signing_keys.*, clock_timestamp() AS at FROM signing_keys \
                   WHERE state <> 'retired' ORDER BY created_at, kid";
        let found = connection.query_all_raw(statement(sql, [])).await?;
        let at = found.first().map(|row| row.try_get("", "at")).transpose()?;
        let rows = found
            .iter()
            .map(|row| Model::from_query_result(row, ""))
            .collect::<Result<_, _>>()?;
        Ok(Rows {
            rows,
            at: at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
        })
    }

    fn due(&self, found: &Rows) -> Result<Vec<Step>, KeyError> {
        let mut ours = Vec::with_capacity(found.rows.len());
        for row in &found.rows {
            match self.open(row) {
                Ok(_) => ours.extend(record(row)),
                // With another sealing key nothing is changed, and no key is made.
                Err(error) if row.state == KeyState::Active.as_str() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(self.policy.due(&ours, found.at))
    }

    /// The secret of a row, if the row is ours: only who has the sealing key can make one whose secret opens
    /// and belongs to its public key. A public key that someone merely wrote into the table is never published.
    pub(super) fn open(&self, row: &Model) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let seed = self.sealing.open(&row.sealed_private_key, &row.kid)?;
        let public = SigningKey::from_bytes(&seed).verifying_key();
        if public.as_bytes().as_slice() == row.public_key {
            Ok(seed)
        } else {
            Err(KeyError::Mismatch)
        }
    }
}

impl Change<'_> {
    async fn make(&self, step: &Step) -> Result<(), KeyError> {
        match step {
            Step::MakeActive => self.make_key(KeyState::Active).await.map(drop),
            Step::Announce => self.make_key(KeyState::Announced).await.map(drop),
            Step::Activate { kid, replaces } => self.activate(kid, replaces.as_deref()).await,
            Step::SetEnd { kid } => {
                let sql = "UPDATE signing_keys SET retire_at = now() + $2::bigint * interval '1 second' \
                           WHERE kid = $1 AND state = 'retiring'";
                let retire = self.table.policy.retire;
                self.run(sql, [kid.into(), retire.whole_seconds().into()])
                    .await
            }
            Step::Retire { kid } => self.retire(kid).await,
        }
    }

    /// The old one first: the table admits one active key at any moment.
    pub(super) async fn activate(&self, kid: &str, replaces: Option<&str>) -> Result<(), KeyError> {
        if let Some(old) = replaces {
            let sql = "UPDATE signing_keys SET state = 'retiring', \
                       retire_at = now() + $2::bigint * interval '1 second' \
                       WHERE kid = $1 AND state = 'active'";
            let retire = self.table.policy.retire;
            self.run(sql, [old.into(), retire.whole_seconds().into()])
                .await?;
        }
        let sql = "UPDATE signing_keys SET state = 'active', activated_at = now() \
                   WHERE kid = $1 AND state = 'announced'";
        self.run(sql, [kid.into()]).await?;
        tracing::info!(%kid, replaces, "a signing key took over");
        Ok(())
    }

    /// Ends a key; of its secret nothing stays in the row.
    pub(super) async fn retire(&self, kid: &str) -> Result<(), KeyError> {
        let sql = "UPDATE signing_keys SET state = 'retired', retired_at = now(), sealed_private_key = ''::bytea \
                   WHERE kid = $1 AND state <> 'retired'";
        self.run(sql, [kid.into()]).await?;
        tracing::info!(%kid, "a signing key was retired");
        Ok(())
    }

    /// Makes a key; its name. An active one is not made beside another.
    pub(super) async fn make_key(&self, state: KeyState) -> Result<String, KeyError> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(&mut *seed).map_err(|_| SealError::Random)?;
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let kid = thumbprint(&public);
        let now = self.now().await?;
        let active = state == KeyState::Active;
        Entity::insert(ActiveModel {
            sealed_private_key: Set(self.table.sealing.seal(&seed, &kid)?),
            kid: Set(kid.clone()),
            public_key: Set(public.to_vec()),
            state: Set(state.as_str().to_owned()),
            created_at: Set(now),
            activated_at: Set(active.then_some(now)),
            activate_at: Set((!active).then_some(now + self.table.policy.announce)),
            retire_at: Set(None),
            retired_at: Set(None),
        })
        .on_conflict_do_nothing()
        .exec_without_returning(&self.transaction)
        .await?;
        tracing::info!(%kid, state = state.as_str(), "a signing key was made");
        Ok(kid)
    }

    async fn now(&self) -> Result<OffsetDateTime, DbErr> {
        let row = self
            .transaction
            .query_one_raw(statement("SELECT now() AS at", []))
            .await?;
        row.ok_or_else(|| DbErr::RecordNotFound("the time".to_owned()))?
            .try_get("", "at")
    }

    async fn run<const N: usize>(&self, sql: &str, values: [Value; N]) -> Result<(), KeyError> {
        self.transaction.execute_raw(statement(sql, values)).await?;
        Ok(())
    }
}

/// The row without its secret; nothing of a state that this release does not know.
pub(super) fn record(row: &Model) -> Option<KeyRecord> {
    Some(KeyRecord {
        kid: row.kid.clone(),
        state: KeyState::from_text(&row.state)?,
        created_at: row.created_at,
        activate_at: row.activate_at,
        activated_at: row.activated_at,
        retire_at: row.retire_at,
        retired_at: row.retired_at,
    })
}

/// How long until `at`, in whole seconds, up.
pub(super) fn seconds_until(at: OffsetDateTime, now: OffsetDateTime) -> u64 {
    let left = (at - now + Duration::nanoseconds(999_999_999)).max(Duration::ZERO);
    left.whole_seconds().unsigned_abs()
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
