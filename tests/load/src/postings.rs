//! What a posting costs, beside a function that does the same writes and nothing else.
//!
//! Both are one call to the database, durable when it returns, from as many clients at a time. The baseline locks the two
//! accounts, inserts the transaction and its two entries, and updates the accounts, in tables with the same columns and
//! indexes; it looks at nothing: no fingerprint, no balance, no floor, no freeze. They take turns, so that both see the
//! same machine.

use crate::baseline;
use crate::drive::{Driven, Failure, gather};
use crate::table::Row;
use crate::turns::{Meters, Turns};
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

/// Which accounts the clients post between.
#[derive(Debug, Clone, Copy)]
enum Between {
    /// Any two.
    All,
    /// The first, and any other.
    OneAndAll,
}

/// The figures; each baseline stands before what is compared with it.
pub(crate) async fn run(
    owner: &DatabaseConnection,
    app_url: &str,
    postmaster: u32,
    time: Duration,
) -> Result<Vec<Row>, Failure> {
    let bench = Arc::new(Bench {
        database: pool(app_url, CLIENTS).await?,
        accounts: (0..ACCOUNTS)
            .map(|_| Account::UserAvailable(Uuid::new_v4()))
            .collect(),
        before: transactions(owner).await?,
        posted: AtomicU64::new(0),
    });
    bench.fund(owner).await?;
    baseline::copy_accounts(owner).await?;

    let meters = Meters {
        postmaster,
        server: None,
    };
    let mut rows = Vec::new();
    for (what, between) in [
        ("over 1,000 accounts", Between::All),
        ("one account in all of them", Between::OneAndAll),
    ] {
        let (mut bare, mut ours) = (Turns::default(), Turns::default());
        for _ in 0..TURNS {
            bare.take(meters, bench.drive(time / TURNS, Call::Bare(between)))
                .await?;
            ours.take(meters, bench.drive(time / TURNS, Call::Post(between)))
                .await?;
        }
        rows.push(bare.baseline(format!("the bare writes, {what}"), 1)?);
        rows.push(ours.row(format!("a posting, {what}"), 1)?);
    }
    let mut batches = Turns::default();
    batches.take(meters, bench.drive(time, Call::Batch)).await?;
    // Beside the bare writes over all accounts.
    rows.insert(
        2,
        batches.row(format!("postings, {BATCH} in a call"), BATCH)?,
    );
    bench.check(owner).await?;
    Ok(rows)
}

/// Connections of a service to the database.
pub(crate) async fn pool(url: &str, connections: u32) -> Result<DatabaseConnection, Failure> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(connections)
        .test_before_acquire(false)
        .sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

async fn transactions(owner: &DatabaseConnection) -> Result<u64, Failure> {
    let count = Statement::from_string(
        sea_orm::DbBackend::Postgres,
        "SELECT count(*) FROM ledger_tx",
    );
    let row = owner.query_one_raw(count).await?.ok_or("no count")?;
    let there: i64 = row.try_get_by_index(0)?;
    Ok(there.try_into()?)
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
    /// Transactions that were there before.
    before: u64,
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
        let deposits = deposit(&self.database, &self.accounts).await?;
        self.posted.fetch_add(deposits, Ordering::Relaxed);
        Ok(())
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
                baseline::post(&self.database, a.id().as_uuid(), b.id().as_uuid()).await
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
        let there = transactions(owner).await?;
        let known = self.before + self.posted.load(Ordering::Relaxed);
        if there != known {
            return Err(format!("{known} were posted, {there} are there").into());
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

/// Opens `accounts` and puts a million TWIST on each; says how many transactions that took.
pub(crate) async fn deposit(
    database: &DatabaseConnection,
    accounts: &[Account],
) -> Result<u64, Failure> {
    account::open(database, accounts).await?;
    account::open(database, &[Account::ExternalWorld]).await?;
    let deposit = |to: &Account| {
        Posting::transfer(
            TxKind::OperatorDeposit,
            Uuid::new_v4().to_string(),
            AT,
            (Account::ExternalWorld, *to),
            Amount::from_twist(1_000_000),
        )
    };
    let deposits: Vec<_> = accounts.iter().map(deposit).collect::<Result<_, _>>()?;
    let new = posting::post(database, &deposits).await?;
    Ok(new.len().try_into()?)
}

/// When all of it takes effect.
pub(crate) const AT: EpochMs = match EpochMs::new(1_767_225_600_000) {
    Ok(at) => at,
    Err(_) => EpochMs::MAX,
};
