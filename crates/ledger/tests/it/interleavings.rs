//! Whatever several connections do at once, the books add up.

use crate::support::{Books, POOL, cause, units};
use domain::EpochMs;
use ledger::chain::{lag, seal, verify};
use ledger::freeze::{FreezeOrder, set_frozen};
use ledger::phase::{expire_due, post_pending, reserve, reverse, void_pending};
use ledger::posting::post;
use ledger::{Account, Attempts, LedgerError, Posting, TxId, TxKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::{AccessMode, DatabaseConnection, IsolationLevel, TransactionTrait};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use uuid::Uuid;

const EACH: u64 = 20;

/// What one connection does. A number stands for always the same transaction, so that connections get
/// in each other's way.
#[derive(Debug, Clone, Copy)]
enum Op {
    Transfer(u8),
    Reserve(u8),
    Post(u8),
    Void(u8),
    Expire,
    ReverseTransfer(u8),
    ReversePosted(u8),
    Freeze(u8, bool),
    Seal,
    Check,
}

fn op() -> impl Strategy<Value = Op> {
    let n = || 0..12u8;
    prop_oneof![
        3 => n().prop_map(Op::Transfer),
        4 => n().prop_map(Op::Reserve),
        3 => n().prop_map(Op::Post),
        3 => n().prop_map(Op::Void),
        1 => Just(Op::Expire),
        2 => n().prop_map(Op::ReverseTransfer),
        1 => n().prop_map(Op::ReversePosted),
        1 => (0..3u8, any::<bool>()).prop_map(|(user, frozen)| Op::Freeze(user, frozen)),
        1 => Just(Op::Seal),
        1 => Just(Op::Check),
    ]
}

#[derive(Clone)]
struct World {
    db: DatabaseConnection,
    users: [Uuid; 3],
}

impl World {
    async fn of(books: &Books) -> Self {
        let users = [books.user().await, books.user().await, books.user().await];
        let db = books.db.clone();
        ledger::account::open(&db, &[Account::ExternalWorld])
            .await
            .unwrap();
        let deposits = users.map(|user| {
            let accounts = (Account::ExternalWorld, Account::UserAvailable(user));
            let (kind, source) = (TxKind::OperatorDeposit, user.to_string());
            Posting::transfer(kind, source, at(), accounts, units(EACH)).unwrap()
        });
        post(&db, &deposits).await.unwrap();
        Self { db, users }
    }

    fn user(&self, n: u8) -> Uuid {
        self.users[usize::from(n % 3)]
    }

    fn transfer(&self, n: u8) -> Posting {
        let accounts = (
            Account::UserAvailable(self.user(n)),
            Account::UserAvailable(self.user(n + 1)),
        );
        let (kind, source) = (TxKind::RewardsClaimed, format!("t{n}"));
        Posting::transfer(kind, source, at(), accounts, units(u64::from(n) + 1)).unwrap()
    }

    fn stake(&self, n: u8) -> Posting {
        let user = self.user(n);
        let accounts = (
            Account::UserAvailable(user),
            Account::UserStaked { user, pool: POOL },
        );
        let (kind, source) = (TxKind::StakeDeposited, format!("s{n}"));
        Posting::transfer(kind, source, at(), accounts, units(u64::from(n) + 1)).unwrap()
    }

    async fn once(&self, op: Op) -> Result<(), LedgerError> {
        let db = &self.db;
        match op {
            Op::Transfer(n) => post(db, &[self.transfer(n)]).await.map(drop),
            Op::Reserve(n) => {
                let lifetime = [Some(Duration::ZERO), Some(Duration::from_hours(1)), None];
                let lifetime = lifetime[usize::from(n / 4)];
                reserve(db, &self.stake(n), lifetime).await.map(drop)
            }
            Op::Post(n) => post_pending(db, self.stake(n).id(), &paid(n))
                .await
                .map(drop),
            Op::Void(n) => void_pending(db, self.stake(n).id(), &cancelled(n))
                .await
                .map(drop),
            Op::Expire => expire_due(db, 3).await.map(drop),
            Op::ReverseTransfer(n) => {
                let id = self.transfer(n).id();
                reverse(db, id, format!("t{n}"), at()).await.map(drop)
            }
            Op::ReversePosted(n) => reverse(db, paid(n).id(), format!("s{n}"), at())
                .await
                .map(drop),
            Op::Freeze(n, frozen) => {
                let order = FreezeOrder {
                    id: Uuid::new_v4(),
                    account: Account::UserAvailable(self.user(n)).id(),
                    frozen,
                    reason: "looked into".to_owned(),
                    actor: "somebody".to_owned(),
                };
                set_frozen(db, &order).await.map(drop)
            }
            Op::Seal => seal(db, 5).await.map(drop),
            Op::Check => {
                self.assert_adds_up().await;
                Ok(())
            }
        }
    }

    /// One op until it is done, or refused for a reason there can be.
    async fn run(&self, op: Op) {
        let mut attempts = Attempts::default();
        loop {
            match self.once(op).await {
                Err(error) if attempts.again(&error).await => {}
                Ok(())
                | Err(
                    LedgerError::InsufficientFunds
                    | LedgerError::Frozen
                    | LedgerError::AlreadySettled
                    | LedgerError::Expired
                    | LedgerError::UnknownTransaction,
                ) => return,
                Err(error) => panic!("{op:?}: {error}"),
            }
        }
    }

    /// On one snapshot, while others go on.
    async fn assert_adds_up(&self) {
        let (level, mode) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
        let snapshot = self
            .db
            .begin_with_config(Some(level), Some(mode))
            .await
            .unwrap();
        crate::support::assert_adds_up(&snapshot).await;
        snapshot.rollback().await.unwrap();
    }

    /// Gives back what is still pending, and counts what the users have.
    async fn total_when_all_is_settled(&self, books: &Books) -> u64 {
        for n in 0..12 {
            self.run(Op::Void(n)).await;
        }
        while !expire_due(&self.db, 100).await.unwrap().is_empty() {}
        let mut total = 0;
        for user in self.users {
            total += books.balance(user).await + books.staked(user).await;
        }
        total
    }
}

fn at() -> EpochMs {
    EpochMs::new(1_767_225_600_000).unwrap()
}

fn paid(n: u8) -> ledger::Cause {
    cause(TxKind::PayoutPaid, &format!("s{n}"))
}

fn cancelled(n: u8) -> ledger::Cause {
    cause(TxKind::PayoutCancelled, &format!("s{n}"))
}

#[test]
fn any_interleaving_of_everything_adds_up() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(16);
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 32,
        ..Config::default()
    });
    let connections = proptest::collection::vec(proptest::collection::vec(op(), 1..25), 2..7);
    runner
        .run(&connections, |connections| {
            runtime.block_on(async {
                let books = Books::new().await;
                let world = World::of(&books).await;
                let tasks = connections.into_iter().map(|ops| {
                    let world = world.clone();
                    tokio::spawn(async move {
                        for op in ops {
                            world.run(op).await;
                        }
                    })
                });
                for task in tasks.collect::<Vec<_>>() {
                    task.await
                        .map_err(|error| TestCaseError::fail(error.to_string()))?;
                }
                world.assert_adds_up().await;
                prop_assert_eq!(world.total_when_all_is_settled(&books).await, 3 * EACH);
                while seal(&books.db, 100).await.unwrap() > 0 {}
                prop_assert_eq!(lag(&books.db).await.unwrap().unsealed, 0);
                prop_assert_eq!(verify(&books.db).await.unwrap().broken, None);
                world.assert_adds_up().await;
                Ok(())
            })
        })
        .unwrap();
}

/// Two transactions that take the same accounts in opposite order cannot both go on.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_stand_in_each_others_way_are_both_done_in_the_end() {
    let books = Books::new().await;
    let world = World::of(&books).await;
    let both_hold_one = Arc::new(Barrier::new(2));
    let tasks = [(3, 4), (4, 3)].map(|(first, second)| {
        let (world, barrier) = (world.clone(), Arc::clone(&both_hold_one));
        tokio::spawn(async move {
            let mut attempts = Attempts::default();
            let mut runs = 0;
            loop {
                runs += 1;
                let done: Result<(), LedgerError> = async {
                    let tx = world.db.begin().await?;
                    let own = |n| [stake_of(&world, n, first < second)];
                    post(&tx, &own(first)).await?;
                    if runs == 1 {
                        barrier.wait().await;
                    }
                    post(&tx, &own(second)).await?;
                    Ok(tx.commit().await?)
                }
                .await;
                match done {
                    Err(error) if attempts.again(&error).await => {}
                    result => return result.map(|()| runs).unwrap(),
                }
            }
        })
    });
    let mut runs = Vec::new();
    for task in tasks {
        runs.push(task.await.unwrap());
    }
    runs.sort_unstable();
    assert_eq!(runs, [1, 2], "neither had to give way");
    world.assert_adds_up().await;
    let staked: [u64; 2] = [
        books.staked(world.user(0)).await,
        books.staked(world.user(1)).await,
    ];
    assert_eq!(staked, [2, 2]);
}

/// A stake of one unit of user `n`, by one of two causes.
fn stake_of(world: &World, n: u8, one: bool) -> Posting {
    let user = world.user(n);
    let accounts = (
        Account::UserAvailable(user),
        Account::UserStaked { user, pool: POOL },
    );
    let source = format!("{one} {n}");
    Posting::transfer(TxKind::StakeDeposited, source, at(), accounts, units(1)).unwrap()
}

#[test]
fn the_same_cause_is_the_same_transaction() {
    assert_eq!(paid(1).id(), TxId::of(TxKind::PayoutPaid, "s1"));
    assert_ne!(paid(1).id(), cancelled(1).id());
}
