//! The rows of jobs, and leases on them.

use super::Cadence;
use crate::sql::{all, one, run};
use sea_orm::{DatabaseConnection, DbErr};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(super) struct Store {
    database: DatabaseConnection,
    lease: Duration,
}

/// The right to do one run, for as long as it is [kept](Lease::keep).
#[derive(Debug)]
pub(super) struct Lease {
    store: Store,
    name: &'static str,
    due: OffsetDateTime,
    holder: Uuid,
}

impl Store {
    pub(super) const fn new(database: DatabaseConnection, lease: Duration) -> Self {
        Self { database, lease }
    }

    /// Makes the job known. One that is known and whose cadence has become shorter is due sooner.
    pub(super) async fn register(&self, name: &str, cadence: &Cadence) -> Result<(), DbErr> {
        let due = cadence.after(self.now().await?);
        let sql = "INSERT INTO schedule AS s (name, due_at) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET due_at = least(s.due_at, excluded.due_at)";
        run(&self.database, sql, [name.into(), due.into()])
            .await
            .map(|_| ())
    }

    /// Jobs that are due and that nobody does, each with when it was due.
    pub(super) async fn due(&self) -> Result<Vec<(String, OffsetDateTime)>, DbErr> {
        let sql = "SELECT name, due_at FROM schedule WHERE due_at <= clock_timestamp() \
                   AND (lease_until IS NULL OR lease_until <= clock_timestamp()) ORDER BY due_at";
        let rows = all(&self.database, sql, []).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("", "name")?, row.try_get("", "due_at")?)))
            .collect()
    }

    /// Takes the run that was due then, unless another has: of any number of callers one gets it.
    pub(super) async fn claim(
        &self,
        name: &'static str,
        due: OffsetDateTime,
    ) -> Result<Option<Lease>, DbErr> {
        let sql = "UPDATE schedule SET lease_by = $3, started_at = clock_timestamp(), runs = runs + 1, \
                   lease_until = clock_timestamp() + $4::bigint * interval '1 millisecond' \
                   WHERE name = $1 AND due_at = $2 \
                   AND (lease_until IS NULL OR lease_until <= clock_timestamp())";
        let holder = Uuid::new_v4();
        let values = [name.into(), due.into(), holder.into(), self.millis().into()];
        let taken = run(&self.database, sql, values).await? == 1;
        Ok(taken.then(|| Lease {
            store: self.clone(),
            name,
            due,
            holder,
        }))
    }

    async fn now(&self) -> Result<OffsetDateTime, DbErr> {
        let row = one(&self.database, "SELECT clock_timestamp() AS now", []).await?;
        row.map_or_else(
            || Err(DbErr::RecordNotFound("the time".to_owned())),
            |row| row.try_get("", "now"),
        )
    }

    fn millis(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Lease {
    pub(super) const fn due(&self) -> OffsetDateTime {
        self.due
    }

    /// Keeps the lease alive; done when it is lost: another has it, or for so long the database did not answer that
    /// another may.
    pub(super) async fn keep(&self) {
        let sql = "UPDATE schedule SET lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond' \
                   WHERE name = $1 AND lease_by = $2";
        let mut kept = tokio::time::Instant::now();
        loop {
            tokio::time::sleep(self.store.lease / 4).await;
            let asked = tokio::time::Instant::now();
            let values = [
                self.name.into(),
                self.holder.into(),
                self.store.millis().into(),
            ];
            let renewal = run(&self.store.database, sql, values);
            match tokio::time::timeout(self.store.lease / 4, renewal).await {
                Ok(Ok(1)) => kept = asked,
                Ok(Ok(_)) => return,
                // Half of the lease is left for the work to notice.
                _ if kept.elapsed() >= self.store.lease * 3 / 4 => return,
                _ => {}
            }
        }
    }

    /// The run is done: moves the due time on, past all that were missed meanwhile.
    pub(super) async fn finish(&self, cadence: &Cadence) -> Result<(), DbErr> {
        let next = cadence.after(self.store.now().await?.max(self.due));
        let sql = "UPDATE schedule SET due_at = $3, lease_by = NULL, lease_until = NULL, \
                   finished_at = clock_timestamp(), failures = 0 WHERE name = $1 AND lease_by = $2";
        let values = [self.name.into(), self.holder.into(), next.into()];
        run(&self.store.database, sql, values).await.map(|_| ())
    }

    /// The run failed: it stays due, for whoever comes first after `pause`.
    pub(super) async fn retry(&self, pause: Duration) -> Result<(), DbErr> {
        let sql = "UPDATE schedule SET lease_by = NULL, failures = failures + 1, \
                   lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond' \
                   WHERE name = $1 AND lease_by = $2";
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let values = [self.name.into(), self.holder.into(), pause.into()];
        run(&self.store.database, sql, values).await.map(|_| ())
    }
}
