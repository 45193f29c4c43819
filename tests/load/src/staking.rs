//! Stakes at a fixed rate, through the service, with tokens of people who signed in.
//!
//! The baseline is one transfer in the bare tables for each, at the same rate: what a durable order must cost at least.

use crate::baseline;
use crate::drive::{Client, Connection, Failure, json, pace_each};
use crate::postings::{deposit, pool};
use crate::scenario::Site;
use crate::sign_in::sign_in;
use crate::table::Row;
use crate::turns::{Meters, Turns};
use client::Wallet;
use hyper::Method;
use hyper::body::Bytes;
use ledger::Account;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Stakes a second: the budget names it.
const RATE: u32 = 300;
const USERS: u32 = 32;
const POOLS: u32 = 20;
const TURNS: u32 = 2;
/// Before the measurement.
const WARM: Duration = Duration::from_secs(1);

/// Cost and latency.
pub(crate) async fn run(site: &Site, meters: Meters, time: Duration) -> Result<Vec<Row>, Failure> {
    let database = pool(&site.app_url, 16).await?;
    let pools: Arc<[Uuid]> = make_pools(&site.owner).await?.into();
    let mut tokens = Vec::new();
    let mut accounts = Vec::new();
    for _ in 0..USERS {
        let wallet = Wallet::generate()?;
        let session = sign_in(&mut Connection::open(site.auth).await?, &wallet).await?;
        tokens.push(session.access_token);
        accounts.push(Account::UserAvailable(user(&database, &wallet).await?));
    }
    deposit(&database, &accounts).await?;
    baseline::copy_accounts(&site.owner).await?;

    // A connection plans what it is asked for the first times.
    pace_each(movers(&database, &accounts), RATE, WARM).await?;
    pace_each(stakers(site.api, &tokens, &pools).await?, RATE, WARM).await?;
    baseline::analyze(&site.owner).await?;
    let (mut bare, mut ours) = (Turns::default(), Turns::default());
    for _ in 0..TURNS {
        bare.take(
            meters,
            pace_each(movers(&database, &accounts), RATE, time / TURNS),
        )
        .await?;
        let stakers = stakers(site.api, &tokens, &pools).await?;
        ours.take(meters, pace_each(stakers, RATE, time / TURNS))
            .await?;
    }
    Ok(vec![
        bare.baseline(format!("PostgreSQL: the bare writes, {RATE}/s"), 1)?,
        ours.row(
            format!("PostgreSQL: `POST /staking/stake`, {POOLS} pools, {RATE}/s"),
            1,
        )?,
        ours.server(format!("api: `POST /staking/stake`, {RATE}/s"), 1)?,
    ])
}

struct Mover {
    database: DatabaseConnection,
    debit: Uuid,
    credit: Uuid,
}

impl Client for Mover {
    async fn ask(&mut self, _: u64) -> Result<(), Failure> {
        baseline::post(&self.database, self.debit, self.credit).await
    }
}

/// Each from an account of its own to the next one's.
fn movers(database: &DatabaseConnection, accounts: &[Account]) -> Vec<Mover> {
    let next = accounts.iter().cycle().skip(1);
    let pairs = accounts.iter().zip(next);
    pairs
        .map(|(debit, credit)| Mover {
            database: database.clone(),
            debit: debit.id().as_uuid(),
            credit: credit.id().as_uuid(),
        })
        .collect()
}

struct Staker {
    connection: Connection,
    authorization: String,
    pools: Arc<[Uuid]>,
    first: usize,
}

impl Client for Staker {
    async fn ask(&mut self, n: u64) -> Result<(), Failure> {
        let at = (self.first + usize::try_from(n)?) % self.pools.len();
        let pool = self.pools.get(at).ok_or("there is no pool")?;
        let headers = vec![
            json(),
            ("authorization", self.authorization.clone()),
            ("idempotency-key", Uuid::new_v4().to_string()),
        ];
        let body = Bytes::from(format!(r#"{{"influencerId":"{pool}","amount":"1"}}"#));
        let answer = self
            .connection
            .send_with(Method::POST, "/staking/stake", headers, body);
        answer.await.map(drop)
    }
}

async fn stakers(
    port: u16,
    tokens: &[String],
    pools: &Arc<[Uuid]>,
) -> Result<Vec<Staker>, Failure> {
    let mut stakers = Vec::new();
    for (first, token) in tokens.iter().enumerate() {
        stakers.push(Staker {
            connection: Connection::open(port).await?,
            authorization: format!("Bearer {token}"),
            pools: Arc::clone(pools),
            first,
        });
    }
    Ok(stakers)
}

/// Influencers with a pool that takes any stake; named by their influencers.
async fn make_pools(owner: &DatabaseConnection) -> Result<Vec<Uuid>, Failure> {
    let mut pools = Vec::new();
    for n in 0..POOLS {
        let influencer = Uuid::new_v4();
        let sql = format!(
            "INSERT INTO users (id) VALUES ('{influencer}'); \
             INSERT INTO influencers (id, user_id, username, display_name) \
                 VALUES ('{influencer}', '{influencer}', 'load_{n}', 'Load {n}'); \
             INSERT INTO staking_pools (id, influencer_id, revenue_share_bps, min_stake) \
                 VALUES ('{}', '{influencer}', 1000, 1)",
            Uuid::new_v4()
        );
        owner.execute_unprepared(&sql).await?;
        pools.push(influencer);
    }
    Ok(pools)
}

/// Whose wallet it is.
async fn user(database: &DatabaseConnection, wallet: &Wallet) -> Result<Uuid, Failure> {
    let sql = "SELECT user_id FROM wallets WHERE address = $1";
    let values = [wallet.address().to_string().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = database.query_one_raw(statement).await?;
    Ok(row.ok_or("the wallet is unknown")?.try_get_by_index(0)?)
}
