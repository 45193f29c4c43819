use crate::support::{Books, reward};
use ledger::is_contention;
use ledger::posting::post;
use ledger::{LedgerError, Posting};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sea_orm::DatabaseConnection;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One call: VAU numbers, each with the index of its user. The amount follows from the number, so that
/// the same number is always the same transaction.
type Call = Vec<(u8, u8)>;

async fn post_until_done(db: DatabaseConnection, postings: Vec<Posting>) {
    loop {
        match post(&db, &postings).await {
            Ok(_) => return,
            Err(LedgerError::Database(error)) if is_contention(&error) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Whatever calls run at once, with whatever ids in common: every id counts once.
#[test]
fn any_interleaving_of_overlapping_calls_adds_up() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(24);
    let mut runner = TestRunner::new(Config {
        cases,
        ..Config::default()
    });
    let call = proptest::collection::btree_map(0..40u8, Just(()), 1..12);
    let calls = proptest::collection::vec(call, 1..12);
    runner
        .run(&calls, |calls| {
            runtime.block_on(async {
                let books = Books::new().await;
                let users = [books.user().await, books.user().await, books.user().await];
                let calls: Vec<Call> = calls
                    .iter()
                    .map(|c| c.keys().map(|n| (*n, n % 3)).collect())
                    .collect();
                run_at_once(&books, &calls, &users).await;
                let mut expected = BTreeMap::new();
                for (n, user) in calls
                    .iter()
                    .flatten()
                    .copied()
                    .collect::<std::collections::BTreeSet<_>>()
                {
                    *expected.entry(user).or_insert(0) += u64::from(n) + 1;
                }
                for (index, user) in users.iter().enumerate() {
                    let expected = expected.get(&u8::try_from(index).unwrap()).copied();
                    prop_assert_eq!(books.balance(*user).await, expected.unwrap_or(0));
                }
                let broken = books.broken().await;
                prop_assert!(broken == ["V1"], "{:?}", broken);
                Ok::<_, TestCaseError>(())
            })
        })
        .unwrap();
}

async fn run_at_once(books: &Books, calls: &[Call], users: &[Uuid; 3]) {
    let tasks: Vec<_> = calls
        .iter()
        .map(|call| {
            let postings = call
                .iter()
                .map(|(n, user)| reward((*n).into(), users[usize::from(*user)], u64::from(*n) + 1));
            tokio::spawn(post_until_done(books.db.clone(), postings.collect()))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_postings_at_once_to_one_account_lose_nothing() {
    let books = Books::new().await;
    let user = books.user().await;
    let tasks: Vec<_> = (0..100)
        .map(|n| tokio::spawn(post_until_done(books.db.clone(), vec![reward(n, user, 1)])))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(books.balance(user).await, 100);
    assert_eq!(books.broken().await, ["V1"]);
}
