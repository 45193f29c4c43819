//! Payouts from what was earned to what arrived.

use crate::pool::{TWIST, good};
use crate::support::{Api, problem};
use payouts::{LedgerAdapter, auto, release};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use time::macros::datetime;

#[tokio::test]
async fn what_was_earned_is_set_aside_approved_paid_and_charged_once() {
    let api = Api::new().await;
    let payee = api.payee("ada", 100 * TWIST).await;
    assert_eq!(api.payable(&payee).await, [100 * TWIST, 0, 0]);

    let payout = api.asked(&payee, 40 * TWIST).await;
    assert_eq!(
        (&payout["status"], &payout["state"]),
        (&json!("pending"), &json!("approved"))
    );
    assert_eq!(payout["platformFee"], (4 * TWIST).to_string());
    assert_eq!(payout["processingFee"], (TWIST / 10).to_string());
    assert_eq!(payout["netAmount"], "35900000000");
    assert_eq!(payout["currency"], "TWIST");
    assert_eq!(api.payable(&payee).await, [60 * TWIST, 40 * TWIST, 0]);
    assert_eq!(api.balance(&payee.user).await, 0);

    assert_eq!(api.sweep().await, 1);
    assert_eq!(api.sweep().await, 0);
    assert_eq!(api.balance(&payee.user).await, 35_900_000_000);
    assert_eq!(api.payable(&payee).await, [60 * TWIST, 0, 0]);
    let path = format!("/payouts/{}", payout["id"].as_str().unwrap());
    let paid = api.read(&path, &payee.user.token).await;
    assert_eq!(
        (&paid["status"], &paid["state"]),
        (&json!("completed"), &json!("finalized"))
    );
    assert_eq!(paid["version"], 3);
    let posted = format!(
        "ledger_tx WHERE kind = 'payout_paid' AND id = '{}'",
        paid["transactionId"].as_str().unwrap()
    );
    assert_eq!(api.count(&posted).await, 1);
    let history: Vec<String> = ["requested", "approved", "finalized"]
        .map(|fact| format!("topic = 'twist.payouts.{fact}.v1'"))
        .into();
    for topic in history {
        assert_eq!(
            api.count(&format!("outbox WHERE {topic}")).await,
            1,
            "{topic}"
        );
    }
    assert_eq!(api.count("payout_events").await, 3);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_payout_that_is_called_off_or_turned_down_gives_all_of_it_back() {
    let api = Api::new().await;
    let payee = api.payee("ada", 50 * TWIST).await;
    let operator = api.with("operator").await;
    let first = api.asked(&payee, 20 * TWIST).await;
    let off = good(api.decide(&payee.user, &first, "cancel").await, 200).await;
    assert_eq!(
        (&off["status"], &off["state"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert_eq!(api.payable(&payee).await, [50 * TWIST, 0, 0]);
    let second = api.asked(&payee, 50 * TWIST).await;
    let down = good(api.decide(&operator, &second, "reject").await, 200).await;
    assert_eq!(
        (&down["status"], &down["state"], &down["failureReason"]),
        (&json!("failed"), &json!("rejected"), &json!("looked into"))
    );
    assert_eq!(api.payable(&payee).await, [50 * TWIST, 0, 0]);
    assert_eq!(api.sweep().await, 0);
    for payout in [&first, &second] {
        let again = api.decide(&payee.user, payout, "cancel").await;
        assert_eq!(problem(again, 409).await, "payout.not_cancellable");
        for what in ["approve", "reject", "hold", "release", "process"] {
            let refused = api.decide(&operator, payout, what).await;
            assert_eq!(
                problem(refused, 409).await,
                "payout.state_conflict",
                "{what}"
            );
        }
    }
    assert_eq!(api.balance(&payee.user).await, 0);
    api.assert_sound().await;
}

#[tokio::test]
async fn above_the_limit_a_payout_waits_for_a_person_who_is_not_paid_by_it() {
    let api = Api::new().await;
    let payee = api.payee("ada", 100 * TWIST).await;
    api.terms(json!({ "approvalLimit": (20 * TWIST).to_string() }))
        .await;
    let payout = api.asked(&payee, 20 * TWIST + 1).await;
    assert_eq!(payout["state"], "requested");
    assert_eq!(api.sweep().await, 0);
    let operator = api.with("operator").await;
    let unapproved = api.decide(&operator, &payout, "process").await;
    assert_eq!(problem(unapproved, 409).await, "payout.state_conflict");
    // The payee, even with the role, is not the second person.
    let sql = format!(
        "UPDATE users SET roles = '{{influencer,admin}}' WHERE id = '{}'",
        payee.user.uid
    );
    api.db.execute_unprepared(&sql).await.unwrap();
    let own = api.decide(&payee.user, &payout, "approve").await;
    assert_eq!(problem(own, 403).await, "payout.own_approval");
    let approved = good(api.decide(&operator, &payout, "approve").await, 200).await;
    assert_eq!(approved["state"], "approved");
    let twice = api.decide(&operator, &payout, "approve").await;
    assert_eq!(problem(twice, 409).await, "payout.state_conflict");
    let done = good(api.decide(&operator, &payout, "process").await, 200).await;
    assert_eq!(done["status"], "completed");
    let twice = api.decide(&operator, &payout, "process").await;
    assert_eq!(problem(twice, 409).await, "payout.state_conflict");
    // At the limit nobody is needed, a day later.
    api.as_owner("UPDATE payouts SET requested_at = requested_at - interval '1 day'")
        .await;
    assert_eq!(api.asked(&payee, 20 * TWIST).await["state"], "approved");
    let events = format!(
        "payout_events WHERE actor = 'user:{}' AND to_state = 'approved'",
        operator.uid
    );
    assert_eq!(api.count(&events).await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_held_payout_is_neither_paid_nor_called_off_until_it_is_released() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let operator = api.with("operator").await;
    let payout = api.asked(&payee, 40 * TWIST).await;
    let held = good(api.decide(&operator, &payout, "hold").await, 200).await;
    assert_eq!(
        (&held["status"], &held["state"]),
        (&json!("pending"), &json!("held"))
    );
    assert_eq!(api.sweep().await, 0);
    for (who, what) in [(&payee.user, "cancel"), (&operator, "process")] {
        let refused = api.decide(who, &payout, what).await;
        assert_eq!(problem(refused, 409).await, "payout.held", "{what}");
    }
    assert_eq!(api.payable(&payee).await, [0, 40 * TWIST, 0]);
    let released = good(api.decide(&operator, &payout, "release").await, 200).await;
    assert_eq!(released["state"], "approved");
    assert_eq!(api.sweep().await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_one_payout() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let operator = api.with("operator").await;
    let key = "a-key-of-the-tests-1";
    let body = json!({ "amount": "20000000000", "method": "ledger" });
    let path = "/payouts/request";
    let first = good(
        api.order_with(key, Method::POST, path, &payee.user, &body)
            .await,
        201,
    )
    .await;
    let again = api
        .order_with(key, Method::POST, path, &payee.user, &body)
        .await;
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(good(again, 201).await, first);
    let other = json!({ "amount": "30000000000", "method": "ledger" });
    let reused = api
        .order_with(key, Method::POST, path, &payee.user, &other)
        .await;
    assert_eq!(problem(reused, 422).await, "idempotency.key_reused");
    let process = format!("/payouts/{}/process", first["id"].as_str().unwrap());
    for _ in 0..2 {
        let paid = api
            .order_with(key, Method::POST, &process, &operator, &json!({}))
            .await;
        assert_eq!(good(paid, 200).await["state"], "finalized");
    }
    // Long after, when the answer is forgotten, the same request still is the same payout.
    api.as_owner("DELETE FROM idempotency_keys").await;
    let late = good(
        api.order_with(key, Method::POST, path, &payee.user, &body)
            .await,
        201,
    )
    .await;
    assert_eq!(
        (&late["id"], &late["state"]),
        (&first["id"], &json!("finalized"))
    );
    assert_eq!(api.balance(&payee.user).await, 17_900_000_000);
    assert_eq!(api.count("payouts").await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn an_earning_is_payable_when_its_holding_period_is_over_and_not_before() {
    let api = Api::new().await;
    let payee = api.influencer("ada").await;
    api.earn(&payee, 40 * TWIST).await;
    assert_eq!(api.payable(&payee).await, [0, 0, 40 * TWIST]);
    let early = api.ask(&payee, 40 * TWIST).await;
    assert_eq!(problem(early, 400).await, "ledger.insufficient_funds");
    assert_eq!(release::run(&api.db, 10).await.unwrap(), 0);
    let seven = "held_earnings WHERE release_at - created_at = interval '7 days'";
    assert_eq!(api.count(seven).await, 1);
    // The terms that it was earned under hold, whatever they are later.
    api.terms(json!({ "holdingSeconds": 0 })).await;
    assert_eq!(release::run(&api.db, 10).await.unwrap(), 0);
    api.earn(&payee, 4 * TWIST).await;
    assert_eq!(api.payable(&payee).await, [4 * TWIST, 0, 40 * TWIST]);
    api.assert_sound().await;
    api.as_owner("UPDATE held_earnings SET release_at = now() - interval '1 second'")
        .await;
    assert_eq!(release::run(&api.db, 10).await.unwrap(), 1);
    assert_eq!(release::run(&api.db, 10).await.unwrap(), 0);
    assert_eq!(api.payable(&payee).await, [44 * TWIST, 0, 0]);
    api.assert_sound().await;
}

#[tokio::test]
async fn on_day_one_everything_is_paid_out_once_to_those_who_want_that() {
    let api = Api::new().await;
    let wants = api.payee("ada", 40 * TWIST).await;
    let little = api.payee("bob", 8 * TWIST).await;
    let does_not = api.payee("cleo", 40 * TWIST).await;
    let body = json!({ "enabled": true, "method": "ledger" });
    for payee in [&wants, &little] {
        let set = api
            .order(Method::PUT, "/payouts/auto", &payee.user, &body)
            .await;
        assert_eq!(good(set, 200).await, body);
    }
    let due = datetime!(2026-12-01 12:00 UTC);
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 1);
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 0);
    assert_eq!(api.sweep().await, 1);
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 0);
    assert_eq!(api.balance(&wants.user).await, 35_900_000_000);
    assert_eq!(api.payable(&little).await, [8 * TWIST, 0, 0]);
    assert_eq!(api.payable(&does_not).await, [40 * TWIST, 0, 0]);
    // More was earned meanwhile: the same run makes no second payout, the next month's does.
    api.earn(&wants, 20 * TWIST).await;
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 0);
    let next = datetime!(2027-01-01 12:00 UTC);
    assert_eq!(auto::run(&api.db, &LedgerAdapter, next).await.unwrap(), 1);
    let history = api.read("/payouts/history", &wants.user.token).await;
    assert_eq!(history["total"], 2);
    // Who has an open one gets no other.
    api.earn(&wants, 20 * TWIST).await;
    let later = datetime!(2027-02-01 12:00 UTC);
    assert_eq!(auto::run(&api.db, &LedgerAdapter, later).await.unwrap(), 0);
    api.assert_sound().await;
}

#[tokio::test]
async fn one_who_cannot_be_paid_does_not_keep_others_from_it() {
    use ledger::account::Account;
    use ledger::freeze::{FreezeOrder, set_frozen};
    let api = Api::new().await;
    let (frozen, other) = (
        api.payee("ada", 20 * TWIST).await,
        api.payee("bob", 20 * TWIST).await,
    );
    api.asked(&frozen, 20 * TWIST).await;
    api.asked(&other, 20 * TWIST).await;
    let account = Account::InfluencerPayable(ledger::Influencer {
        user: frozen.user.uid,
        id: frozen.influencer,
    });
    let freeze = |id: u128, frozen| FreezeOrder {
        id: uuid::Uuid::from_u128(id),
        account: account.id(),
        frozen,
        reason: "looked into".to_owned(),
        actor: "the tests".to_owned(),
    };
    assert!(set_frozen(&api.db, &freeze(1, true)).await.unwrap());
    assert_eq!(api.sweep().await, 1);
    assert_eq!(api.balance(&other.user).await, 17_900_000_000);
    assert_eq!(api.balance(&frozen.user).await, 0);
    assert!(set_frozen(&api.db, &freeze(2, false)).await.unwrap());
    assert_eq!(api.sweep().await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_payout_keeps_the_terms_that_it_was_asked_for_under() {
    let api = Api::new().await;
    let payee = api.payee("ada", 100 * TWIST).await;
    let payout = api.asked(&payee, 50 * TWIST).await;
    let terms = api
        .terms(json!({ "platformFeeBps": 0, "processingFee": "0", "minimum": "1" }))
        .await;
    assert_eq!(terms["platformFeeBps"], 0);
    assert_eq!(api.sweep().await, 1);
    assert_eq!(api.balance(&payee.user).await, 44_900_000_000);
    let free: Value = api.asked(&payee, 1).await;
    assert_ne!(free["policyId"], payout["policyId"]);
    assert_eq!(api.sweep().await, 1);
    assert_eq!(api.balance(&payee.user).await, 44_900_000_001);
    for table in [
        "payout_policies",
        "payout_events",
        "payouts",
        "held_earnings",
    ] {
        let sql = format!("DELETE FROM {table}");
        assert!(api.db.execute_unprepared(&sql).await.is_err(), "{table}");
    }
    let raise = "UPDATE payouts SET amount = amount + 1";
    assert!(api.db.execute_unprepared(raise).await.is_err());
    api.assert_sound().await;
}
