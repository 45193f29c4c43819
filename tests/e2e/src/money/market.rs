//! The people, the pools they put money into, and what must come out.

use super::{Dice, Person, TWIST};
use crate::{Turn, eventually};
use client::Client;
use domain::Amount;
use ledger::account::{self, Account};
use ledger::posting::{self, Posting, TxKind};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// What each has at first.
const AT_FIRST: u64 = 10_000 * TWIST;
/// How many sign in at once.
const AT_ONCE: usize = 8;

/// Everybody.
#[derive(Debug)]
pub struct Market {
    /// Who stakes; the first of them have a pool.
    pub people: Vec<Arc<Person>>,
    /// The influencers whose pools there are.
    pub pools: Vec<Uuid>,
    /// Who brings earnings in and approves payouts.
    pub operator: Arc<Person>,
    database: DatabaseConnection,
}

impl Market {
    /// `people` with money, `pools` of them with a pool in which the first stake is made.
    pub async fn open(turn: &Turn, people: usize, pools: usize) -> Self {
        let (client, database) = (turn.client(), turn.database().await);
        let operator = Person::new(client.clone()).await;
        let sql = format!(
            "UPDATE users SET roles = '{{operator,admin}}' WHERE id = (SELECT user_id FROM wallets WHERE address = '{}')",
            operator.session.wallet
        );
        database.execute_unprepared(&sql).await.unwrap();
        let mut market = Self {
            people: Vec::new(),
            pools: Vec::new(),
            operator: Arc::new(operator),
            database,
        };
        let mut made = sign_in(&client, people).await;
        for person in made.iter_mut().take(pools) {
            person.influencer = Some(market.give_a_pool(person).await);
            market.pools.extend(person.influencer);
        }
        for person in &made {
            market.fund(person).await;
        }
        market.people = made.into_iter().map(Arc::new).collect();
        let mut dice = Dice::new(0);
        // What influencers earn can soon be paid, and some payouts wait for the operator.
        let terms = json!({
            "holdingSeconds": 1, "approvalLimit": (20 * TWIST).to_string(), "reason": "e2e",
        });
        let set = market
            .operator
            .order(&mut dice, Method::PUT, "/admin/payout-policy", &terms)
            .await;
        assert!(set.is_done(), "{set:?}");
        for (person, pool) in market.people.iter().zip(&market.pools) {
            let body = json!({ "enabled": true, "method": "ledger" });
            let auto = person
                .order(&mut dice, Method::PUT, "/payouts/auto", &body)
                .await;
            assert!(auto.is_done(), "{auto:?}");
            let body = json!({ "influencerId": pool, "amount": (100 * TWIST).to_string() });
            let first = person
                .order(&mut dice, Method::POST, "/staking/stake", &body)
                .await;
            assert!(first.is_done(), "{first:?}");
            person.book().stake(*pool, 100 * TWIST);
            // So that there is something to be paid from the beginning.
            let path = format!("/staking/pools/{pool}/deposits");
            let body = json!({ "amount": (300 * TWIST).to_string() });
            let earned = market
                .operator
                .order(&mut dice, Method::POST, &path, &body)
                .await;
            assert!(earned.is_done(), "{earned:?}");
        }
        for person in market.people.iter().take(pools) {
            eventually("what was earned can be paid", || async {
                units(&person.read("/payouts/balance").await["balance"]) > 0
            })
            .await;
        }
        market
    }

    /// The id of a person's user.
    pub async fn uid(&self, person: &Person) -> Uuid {
        let wallet = person.session.wallet;
        self.one(&format!(
            "SELECT user_id FROM wallets WHERE address = '{wallet}'"
        ))
        .await
    }

    /// One value from the database.
    pub async fn one<T: sea_orm::TryGetable>(&self, sql: &str) -> T {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.database.query_one_raw(statement).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    }

    /// What each has is what they were told, to the unit.
    pub async fn assert_everybody_has_what_they_were_told(&self) {
        for person in &self.people {
            let uid = self.uid(person).await;
            let book = person.book().clone();
            let paid = self.paid_to(person).await;
            let balance = person.read("/me/balance").await;
            let told = book.available + paid;
            assert_eq!(units(&balance["available"]), told, "{uid}: {book:?}");
            let path = format!("/staking/user/{}/stakes", person.session.wallet);
            for stake in person.read(&path).await.as_array().unwrap() {
                let pool: Uuid = stake["influencer"]["id"].as_str().unwrap().parse().unwrap();
                assert_eq!(
                    units(&stake["stake"]["amount"]),
                    book.staked.get(&pool).copied().unwrap_or(0),
                    "{uid} in {pool}"
                );
            }
        }
    }

    /// What a person's payouts brought. Each that they were told of is there, for what they asked.
    async fn paid_to(&self, person: &Person) -> u64 {
        if person.influencer.is_none() {
            return 0;
        }
        let asked = person.book().payouts.clone();
        let mut seen = BTreeMap::new();
        let mut paid = 0;
        loop {
            let path = format!("/payouts/history?limit=100&offset={}", seen.len());
            let page = person.read(&path).await;
            let page = page["payouts"].as_array().unwrap();
            for payout in page {
                let id: Uuid = payout["id"].as_str().unwrap().parse().unwrap();
                seen.insert(id, units(&payout["amount"]));
                let state = payout["state"].as_str().unwrap();
                if state == "finalized" {
                    paid += units(&payout["netAmount"]);
                }
            }
            if page.is_empty() {
                break;
            }
        }
        for (id, amount) in asked {
            assert_eq!(seen.get(&id), Some(&amount), "payout {id}");
        }
        paid
    }

    /// Σ claimed + Σ pending + what is left over = Σ distributed, in each pool and to the unit; and claimed is what
    /// people were told.
    pub async fn assert_pools_paid_what_they_were_given(&self) {
        for pool in &self.pools {
            let told: u64 = self
                .people
                .iter()
                .filter_map(|person| person.book().claimed.get(pool).copied())
                .sum();
            let claimed: i64 = self
                .one(&format!(
                    "SELECT claimed FROM staking_pools WHERE influencer_id = '{pool}'"
                ))
                .await;
            assert_eq!(u64::try_from(claimed).unwrap(), told, "claimed of {pool}");
            // In 2^-64 units, where nothing is rounded: the remainders are the fractions, and what was given ahead.
            let left: String = self
                .one(&format!(
                    "SELECT (p.distributed * 18446744073709551616 + p.ahead \
                         - p.claimed * 18446744073709551616 \
                         - coalesce(sum(s.carried + s.amount * (p.accumulator - s.debt)), 0))::text \
                     FROM staking_pools p LEFT JOIN stakes s ON s.pool_id = p.id \
                     WHERE p.influencer_id = '{pool}' GROUP BY p.id"
                ))
                .await;
            assert_eq!(left, "0", "of {pool}");
        }
    }

    async fn fund(&self, person: &Person) {
        let accounts = (
            Account::ExternalWorld,
            Account::UserAvailable(self.uid(person).await),
        );
        let posting = Posting::transfer(
            TxKind::OperatorDeposit,
            Uuid::new_v4().to_string(),
            client::now(),
            accounts,
            Amount::from_units(AT_FIRST).unwrap(),
        )
        .unwrap();
        account::open(&self.database, &[accounts.0, accounts.1])
            .await
            .unwrap();
        posting::post(&self.database, &[posting]).await.unwrap();
        person.book().available = AT_FIRST;
    }

    async fn give_a_pool(&self, person: &Person) -> Uuid {
        let name = format!("m{}", &Uuid::new_v4().simple().to_string()[..12]);
        let body = json!({
            "userId": person.session.wallet, "username": name, "displayName": name,
            "pool": { "revenueShareBps": 2000 },
        });
        let mut dice = Dice::new(0);
        let made = self
            .operator
            .order(&mut dice, Method::POST, "/admin/influencers", &body)
            .await;
        assert!(made.is_done(), "{made:?}");
        made.body["influencer"]["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }
}

async fn sign_in(client: &Client, people: usize) -> Vec<Person> {
    let mut made = Vec::new();
    while made.len() < people {
        let some = (made.len()..people)
            .take(AT_ONCE)
            .map(|_| tokio::spawn(Person::new(client.clone())));
        for person in some.collect::<Vec<_>>() {
            made.push(person.await.unwrap());
        }
    }
    made
}

/// The digits of an amount.
fn units(amount: &Value) -> u64 {
    amount.as_str().unwrap().parse().unwrap()
}
