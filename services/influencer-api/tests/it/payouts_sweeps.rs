//! What is done for many is done for all who can be served: one who cannot keeps nobody else waiting.

use crate::payee::Payee;
use crate::pool::{TWIST, good};
use crate::support::Api;
use ledger::account::Account;
use ledger::freeze::{FreezeOrder, set_frozen};
use ledger::{Cause, Influencer, TxId, TxKind, phase};
use payouts::{LedgerAdapter, PayoutError, auto, release, settle};
use reqwest::Method;
use sea_orm::{
    ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, TransactionTrait as _,
};
use serde_json::json;
use std::time::{Duration, Instant};
use time::macros::datetime;
use uuid::Uuid;

/// What arrives of 20 TWIST.
const NET: u64 = 17_900_000_000;

impl Payee {
    fn earner(&self) -> Influencer {
        Influencer {
            user: self.user.uid,
            id: self.influencer,
        }
    }
}

/// Freezes an account, or does so no longer.
async fn freeze(api: &Api, account: Account, frozen: bool) {
    let order = FreezeOrder {
        id: Uuid::new_v4(),
        account: account.id(),
        frozen,
        reason: "looked into".to_owned(),
        actor: "the tests".to_owned(),
    };
    assert!(set_frozen(&api.db, &order).await.unwrap());
}

/// Somebody who has the payee's accounts locked, and does not let go.
async fn locked(api: &Api, payee: &Payee) -> (DatabaseConnection, DatabaseTransaction) {
    let owner = Database::connect(api.owner_url()).await.unwrap();
    let tx = owner.begin().await.unwrap();
    let sql = format!(
        "SELECT FROM ledger_account WHERE owner = '{}' FOR UPDATE",
        payee.user.uid
    );
    tx.execute_unprepared(&sql).await.unwrap();
    (owner, tx)
}

/// That one was done and one was not, and that this took no time to speak of.
async fn one_of_two(run: impl Future<Output = Result<u32, PayoutError>>) {
    let begun = Instant::now();
    let outcome = run.await;
    assert!(
        matches!(outcome, Err(PayoutError::PassedOver { done: 1, failed: 1 })),
        "{outcome:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn who_has_one_account_locked_does_not_keep_others_from_being_paid() {
    let api = Api::new().await;
    let (stuck, other) = (
        api.payee("ada", 20 * TWIST).await,
        api.payee("bob", 20 * TWIST).await,
    );
    api.asked(&stuck, 20 * TWIST).await;
    api.asked(&other, 20 * TWIST).await;
    let (_owner, lock) = locked(&api, &stuck).await;
    one_of_two(settle::run(&api.db, &LedgerAdapter, 10)).await;
    assert_eq!(api.balance(&other.user).await, NET);
    lock.rollback().await.unwrap();
    assert_eq!(api.sweep().await, 1);
    assert_eq!(api.balance(&stuck.user).await, NET);
    api.assert_sound().await;
}

#[tokio::test]
async fn who_has_one_account_locked_does_not_keep_others_from_their_earnings() {
    let api = Api::new().await;
    let (stuck, other) = (api.influencer("ada").await, api.influencer("bob").await);
    for payee in [&stuck, &other] {
        api.earn(payee, 8 * TWIST).await;
    }
    api.as_owner("UPDATE held_earnings SET release_at = now() - interval '1 second'")
        .await;
    let (_owner, lock) = locked(&api, &stuck).await;
    one_of_two(release::run(&api.db, 10)).await;
    assert_eq!(api.payable(&other).await, [8 * TWIST, 0, 0]);
    lock.rollback().await.unwrap();
    assert_eq!(release::run(&api.db, 10).await.unwrap(), 1);
    assert_eq!(api.payable(&stuck).await, [8 * TWIST, 0, 0]);
    api.assert_sound().await;
}

#[tokio::test]
async fn who_has_one_account_locked_does_not_keep_others_from_the_payouts_of_the_month() {
    let api = Api::new().await;
    let (stuck, other) = (
        api.payee("ada", 20 * TWIST).await,
        api.payee("bob", 20 * TWIST).await,
    );
    for payee in [&stuck, &other] {
        let body = json!({ "enabled": true, "method": "ledger" });
        let set = api
            .order(Method::PUT, "/payouts/auto", &payee.user, &body)
            .await;
        good(set, 200).await;
    }
    let due = datetime!(2026-12-01 12:00 UTC);
    let (_owner, lock) = locked(&api, &stuck).await;
    one_of_two(auto::run(&api.db, &LedgerAdapter, due)).await;
    assert_eq!(api.payable(&other).await, [0, 20 * TWIST, 0]);
    assert_eq!(api.payable(&stuck).await, [20 * TWIST, 0, 0]);
    lock.rollback().await.unwrap();
    // The job failed and is done again: only for whom it failed.
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 1);
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 0);
    assert_eq!(api.count("payouts").await, 2);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_payout_that_the_ledger_will_never_pay_does_not_keep_others_from_being_paid() {
    let api = Api::new().await;
    let (broken, other) = (
        api.payee("ada", 20 * TWIST).await,
        api.payee("bob", 20 * TWIST).await,
    );
    let payout = api.asked(&broken, 20 * TWIST).await;
    api.asked(&other, 20 * TWIST).await;
    // As no code of ours does: the money is given back, and the payout is still approved.
    let id = payout["id"].as_str().unwrap();
    let cause = Cause {
        kind: TxKind::PayoutRejected,
        source_ref: id.to_owned(),
        effective_at: service::clock::now_ms(),
    };
    let reservation = TxId::of(TxKind::PayoutRequested, id);
    phase::void_pending(&api.db, reservation, &cause)
        .await
        .unwrap();
    one_of_two(settle::run(&api.db, &LedgerAdapter, 10)).await;
    assert_eq!(api.balance(&other.user).await, NET);
    assert_eq!(api.balance(&broken.user).await, 0);
    // And it is told again each time, until somebody has looked into it.
    let again = settle::run(&api.db, &LedgerAdapter, 10).await;
    assert!(matches!(
        again,
        Err(PayoutError::PassedOver { done: 0, failed: 1 })
    ));
}

#[tokio::test]
async fn what_is_frozen_takes_nobodys_place_in_a_run() {
    let api = Api::new().await;
    let mut frozen = Vec::new();
    for name in ["ada", "bob"] {
        let payee = api.payee(name, 20 * TWIST).await;
        api.asked(&payee, 20 * TWIST).await;
        frozen.push(payee);
    }
    let other = api.payee("cleo", 20 * TWIST).await;
    api.asked(&other, 20 * TWIST).await;
    // What is set aside is frozen of one, what can be paid of the other.
    let accounts = [
        Account::InfluencerReserved(frozen[0].earner()),
        Account::InfluencerPayable(frozen[1].earner()),
    ];
    for account in accounts {
        freeze(&api, account, true).await;
    }
    let run = async || settle::run(&api.db, &LedgerAdapter, 1).await.unwrap();
    assert_eq!(run().await, 1);
    assert_eq!(run().await, 0);
    assert_eq!(api.balance(&other.user).await, NET);
    for account in accounts {
        freeze(&api, account, false).await;
    }
    assert_eq!((run().await, run().await, run().await), (1, 1, 0));
    api.assert_sound().await;
}

#[tokio::test]
async fn earnings_that_are_frozen_take_nobodys_place_in_a_run() {
    let api = Api::new().await;
    let (frozen, other) = (api.influencer("ada").await, api.influencer("bob").await);
    for payee in [&frozen, &other] {
        api.earn(payee, 8 * TWIST).await;
    }
    api.as_owner("UPDATE held_earnings SET release_at = created_at - interval '8 days'")
        .await;
    let account = Account::InfluencerPending(frozen.earner());
    freeze(&api, account, true).await;
    let run = async || release::run(&api.db, 1).await.unwrap();
    assert_eq!((run().await, run().await), (1, 0));
    assert_eq!(api.payable(&other).await, [8 * TWIST, 0, 0]);
    freeze(&api, account, false).await;
    assert_eq!((run().await, run().await), (1, 0));
    api.assert_sound().await;
}
