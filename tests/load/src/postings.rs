//! What a posting costs, beside a function that does the same writes and nothing else.
//!
//! Both are one call to the database, durable when it returns, from as many clients at a time. The baseline locks the two
//! accounts, inserts the transaction and its two entries, and updates the accounts, in tables with the same columns and
//! indexes; it looks at nothing: no fingerprint, no balance, no floor, no freeze. They take turns, so that both see the
//! same machine.

use crate::drive::{Driven, Failure, gather};
use crate::process::cpu_of_children;
use crate::table::Row;
use domain::{Amount, EpochMs};
use ledger::{Account, Posting, TxKind, account, posting};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

const CLIENTS: u32 = 16;
const ACCOUNTS: u32 = 1_000;
/// How often the two take turns.
const TURNS: u32 = 3;
/// In one call, as the ingest of VAUs posts.
const BATCH: u32 = 100;

const BASELINE: &str = "
    CREATE TABLE bare_account (LIKE ledger_account INCLUDING ALL);
    CREATE TABLE bare_tx (LIKE ledger_tx INCLUDING ALL);
    CREATE TABLE bare_entry (LIKE ledger_entry INCLUDING ALL);
    INSERT INTO bare_account SELECT * FROM ledger_account;
    CREATE FUNCTION bare_post(tx uuid, a uuid, b uuid, units bigint) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        va bigint;
        vb bigint;
    BEGIN
        PERFORM FROM bare_account WHERE id IN (a, b) ORDER BY id FOR NO KEY UPDATE;
        INSERT INTO bare_tx (id, kind, source_ref, fingerprint, effective_at)
        VALUES (tx, 'bare', tx::text, decode(repeat('00', 32), 'hex'), now());
        UPDATE bare_account SET posted_debits = posted_debits + units, version = version + 1
        WHERE id = a RETURNING version INTO va;
        UPDATE bare_account SET posted_credits = posted_credits + units, version = version + 1
        WHERE id = b RETURNING version INTO vb;
        INSERT INTO bare_entry (account_id, account_version, tx_id, ordinal, side, amount)
        VALUES (a, va, tx, 1, 'debit', units), (b, vb, tx, 2, 'credit', units);
    END $$;
    GRANT EXECUTE ON FUNCTION bare_post TO twist_app;
    GRANT SELECT, INSERT, UPDATE ON bare_account, bare_tx, bare_entry TO twist_app;
    ANALYZE;";

/// Which accounts the clients post between.
#[derive(Debug, Clone, Copy)]
enum Between {
    /// Any two.
    All,
    /// The first, and any other.
    OneAndAll,
}

/// The figures; the first row is the baseline over all accounts.
pub(crate) async fn run(
    owner_url: &str,
    app_url: &str,
    postmaster: u32,
    time: Duration,
) -> Result<Vec<Row>, Failure> {
    let owner = Database::connect(owner_url).await?;
    let mut options = ConnectOptions::new(app_url);
    options
        .max_connections(CLIENTS)
        .min_connections(CLIENTS)
        .test_before_acquire(false)
        .sqlx_logging(false);
    let bench = Arc::new(Bench {
        database: Database::connect(options).await?,
        accounts: (0..ACCOUNTS)
            .map(|_| Account::UserAvailable(Uuid::new_v4()))
            .collect(),
        posted: AtomicU64::new(0),
    });
    bench.fund(&owner).await?;
    owner.execute_unprepared(BASELINE).await?;

    let mut rows = Vec::new();
    for (what, between) in [
        ("over 1,000 accounts", Between::All),
        ("one account in all of them", Between::OneAndAll),
    ] {
        let (mut bare, mut ours) = (Turns::default(), Turns::default());
        for _ in 0..TURNS {
            bare.take(postmaster, bench.drive(time / TURNS, Call::Bare(between)))
                .await?;
            ours.take(postmaster, bench.drive(time / TURNS, Call::Post(between)))
                .await?;
        }
        rows.push(bare.row(format!("the bare writes, {what}"), 1)?);
        rows.push(ours.row(format!("`ledger_post`, {what}"), 1)?);
    }
    let mut batches = Turns::default();
    batches
        .take(postmaster, bench.drive(time, Call::Batch))
        .await?;
    rows.push(batches.row(format!("`ledger_post`, {BATCH} in a call"), BATCH)?);
    bench.check(&owner).await?;
    Ok(rows)
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Bare(Between),
    Post(Between),
    Batch,
}

struct Bench {
    database: DatabaseConnection,
    accounts: Vec<Account>,
    /// Transactions that the ledger said it has.
    posted: AtomicU64,
}

impl Bench {
    /// So much on every account that no transfer of the measurement is more than there is.
    async fn fund(&self, owner: &DatabaseConnection) -> Result<(), Failure> {
        let users: Vec<_> = self
            .accounts
            .iter()
            .filter_map(|account| account.owner())
            .map(|user| format!("('{user}')"))
            .collect();
        let users = format!("INSERT INTO users (id) VALUES {}", users.join(", "));
        owner.execute_unprepared(&users).await?;
        account::open(&self.database, &self.accounts).await?;
        account::open(&self.database, &[Account::ExternalWorld]).await?;
        let deposit = |to: &Account| {
            let accounts = (Account::ExternalWorld, *to);
            let source = Uuid::new_v4().to_string();
            Posting::transfer(
                TxKind::OperatorDeposit,
                source,
                AT,
                accounts,
                Amount::from_twist(1_000_000),
            )
        };
        let deposits: Vec<_> = self
            .accounts
            .iter()
            .map(deposit)
            .collect::<Result<_, _>>()?;
        self.post(&deposits).await
    }

    async fn post(&self, postings: &[Posting]) -> Result<(), Failure> {
        let new = posting::post(&self.database, postings).await?;
        self.posted
            .fetch_add(new.len().try_into()?, Ordering::Relaxed);
        Ok(())
    }

    /// Two accounts for the `n`th call: a different one of all each time, from one side and from the other.
    fn pair(&self, between: Between, n: u64) -> Option<(Account, Account)> {
        let size = u64::from(ACCOUNTS);
        // A step without a common factor with the number of accounts comes past all of them.
        let other = usize::try_from(n.wrapping_mul(617) % (size - 1) + 1).ok()?;
        let one = match between {
            Between::All => usize::try_from(n.wrapping_mul(379) % size).ok()?,
            Between::OneAndAll => 0,
        };
        let other = (one + other) % self.accounts.len();
        let pair = (*self.accounts.get(one)?, *self.accounts.get(other)?);
        Some(if n.is_multiple_of(2) {
            pair
        } else {
            (pair.1, pair.0)
        })
    }

    fn transfer(&self, between: Between, n: u64) -> Result<Posting, Failure> {
        let accounts = self.pair(between, n).ok_or("there is no such account")?;
        let source = Uuid::new_v4().to_string();
        let amount = Amount::try_from(1_i64)?;
        Ok(Posting::transfer(
            TxKind::OperatorDeposit,
            source,
            AT,
            accounts,
            amount,
        )?)
    }

    async fn call(&self, call: Call, n: u64) -> Result<(), Failure> {
        match call {
            Call::Post(between) => self.post(&[self.transfer(between, n)?]).await,
            Call::Batch => {
                let first = n.wrapping_mul(u64::from(BATCH));
                let batch = (0..u64::from(BATCH))
                    .map(|i| self.transfer(Between::All, first.wrapping_add(i)));
                self.post(&batch.collect::<Result<Vec<_>, _>>()?).await
            }
            Call::Bare(between) => {
                let (a, b) = self.pair(between, n).ok_or("there is no such account")?;
                let values = [
                    Uuid::new_v4().into(),
                    a.id().as_uuid().into(),
                    b.id().as_uuid().into(),
                    1_i64.into(),
                ];
                let sql = "SELECT bare_post($1, $2, $3, $4)";
                let backend = sea_orm::DbBackend::Postgres;
                let statement = Statement::from_sql_and_values(backend, sql, values);
                self.database.execute_raw(statement).await?;
                Ok(())
            }
        }
    }

    async fn drive(self: &Arc<Self>, time: Duration, call: Call) -> Result<Driven, Failure> {
        let start = Instant::now();
        let mut clients = JoinSet::new();
        for client in 0..u64::from(CLIENTS) {
            let bench = Arc::clone(self);
            clients.spawn(async move {
                let mut latencies = Vec::new();
                let mut n = client;
                while start.elapsed() < time {
                    let sent = Instant::now();
                    bench.call(call, n).await?;
                    latencies.push(sent.elapsed());
                    n = n.wrapping_add(u64::from(CLIENTS));
                }
                Ok::<_, Failure>(latencies)
            });
        }
        gather(clients, start).await
    }

    /// Every transaction that was said to be posted is there, and all invariants of the ledger hold.
    async fn check(&self, owner: &DatabaseConnection) -> Result<(), Failure> {
        let count = Statement::from_string(
            sea_orm::DbBackend::Postgres,
            "SELECT count(*) FROM ledger_tx",
        );
        let row = owner.query_one_raw(count).await?.ok_or("no count")?;
        let there: i64 = row.try_get_by_index(0)?;
        let posted = self.posted.load(Ordering::Relaxed);
        if u64::try_from(there) != Ok(posted) {
            return Err(format!("{posted} were posted, {there} are there").into());
        }
        for finding in ledger::check::run(owner).await? {
            if !finding.holds() {
                return Err(format!(
                    "{} does not hold: {:?}",
                    finding.invariant.id, finding.broken_by
                )
                .into());
            }
        }
        Ok(())
    }
}

/// When all of it takes effect.
const AT: EpochMs = match EpochMs::new(1_767_225_600_000) {
    Ok(at) => at,
    Err(_) => EpochMs::MAX,
};

/// What came of the turns of one way to post.
#[derive(Default)]
struct Turns {
    requests: u64,
    took: Duration,
    cpu: Duration,
    latencies: Vec<Duration>,
}

impl Turns {
    async fn take(
        &mut self,
        postmaster: u32,
        turn: impl Future<Output = Result<Driven, Failure>>,
    ) -> Result<(), Failure> {
        let before = cpu_of_children(postmaster)?;
        let driven = turn.await?;
        self.cpu += cpu_of_children(postmaster)?.saturating_sub(before);
        self.requests += driven.requests;
        self.took += driven.took;
        self.latencies.extend(driven.latencies);
        Ok(())
    }

    fn row(mut self, what: String, each: u32) -> Result<Row, Failure> {
        self.latencies.sort_unstable();
        let driven = Driven {
            requests: self.requests,
            took: self.took,
            latencies: self.latencies,
        };
        Ok(Row {
            what,
            requests: self
                .requests
                .checked_mul(u64::from(each))
                .ok_or("too many")?,
            took: self.took,
            cpu: self.cpu,
            latency: Some((driven.percentile(50), driven.percentile(99))),
        })
    }
}
