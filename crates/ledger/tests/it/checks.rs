//! Each check is shown a ledger that it must find broken.

use crate::support::{Books, reward};
use ledger::posting::post;

async fn books_with_two_rewards() -> Books {
    let books = Books::new().await;
    let user = books.user().await;
    post(&books.db, &[reward(1, user, 5), reward(2, user, 7)])
        .await
        .unwrap();
    books
}

async fn broken_by(sql: &str) -> Vec<&'static str> {
    let books = books_with_two_rewards().await;
    books.as_owner(sql).await;
    books.broken().await
}

#[tokio::test]
async fn a_sound_ledger_is_called_sound() {
    let books = books_with_two_rewards().await;
    // The rewards have no VAUs behind them: only that is wrong.
    assert_eq!(books.broken().await, ["V1"]);
    assert_eq!(Books::new().await.broken().await, Vec::<&str>::new());
}

#[tokio::test]
async fn an_entry_raised_afterwards_is_found() {
    let broken = broken_by(
        "UPDATE ledger_entry SET amount = amount + 1 \
         WHERE (account_id, account_version) = (SELECT account_id, account_version FROM ledger_entry \
         WHERE side = 'credit' LIMIT 1)",
    )
    .await;
    assert_eq!(broken, ["L1", "L3", "L6", "V1"]);
}

#[tokio::test]
async fn a_whole_transaction_raised_with_its_totals_is_found_by_its_fingerprint() {
    let broken = broken_by(
        "UPDATE ledger_entry SET amount = amount + 1 WHERE tx_id = (SELECT id FROM ledger_tx LIMIT 1); \
         UPDATE ledger_account a SET \
           posted_debits = coalesce((SELECT sum(amount) FROM ledger_entry e WHERE e.account_id = a.id AND side = 'debit'), 0), \
           posted_credits = coalesce((SELECT sum(amount) FROM ledger_entry e WHERE e.account_id = a.id AND side = 'credit'), 0)",
    )
    .await;
    assert_eq!(broken, ["L6", "V1"]);
}

#[tokio::test]
async fn a_total_raised_by_hand_is_found() {
    let broken = broken_by(
        "UPDATE ledger_account SET posted_credits = posted_credits + 1 WHERE kind = 'user:available'",
    )
    .await;
    assert_eq!(broken, ["L2", "L3", "V1"]);
}

#[tokio::test]
async fn an_account_below_its_floor_is_found() {
    let broken = broken_by(
        "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_floor; \
         UPDATE ledger_account SET pending_debits = 1000 WHERE kind = 'user:available'",
    )
    .await;
    assert_eq!(broken, ["L3", "L4", "V1"]);
}

#[tokio::test]
async fn a_cause_that_was_paid_twice_is_found() {
    let broken = broken_by(
        "ALTER TABLE ledger_tx DROP CONSTRAINT ledger_tx_kind_source_ref_key; \
         UPDATE ledger_tx SET source_ref = (SELECT min(source_ref) FROM ledger_tx)",
    )
    .await;
    assert_eq!(broken, ["L5", "L6", "V1"]);
}

#[tokio::test]
async fn a_grant_that_lets_services_change_entries_is_found() {
    let broken = broken_by("GRANT UPDATE ON ledger_entry TO twist_app").await;
    assert_eq!(broken, ["L6", "V1"]);
}

#[tokio::test]
async fn an_entry_that_vanished_is_found() {
    let broken =
        broken_by("DELETE FROM ledger_entry WHERE side = 'credit' AND account_version = 1").await;
    assert_eq!(broken, ["L1", "L3", "L6", "L7", "V1"]);
}
