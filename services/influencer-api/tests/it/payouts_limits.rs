//! What one person alone cannot do about payouts, and what somebody still can from whom the role was taken.

use crate::pool::{TWIST, good};
use crate::support::{Api, User, problem};
use domain::payout::Policy;
use payouts::{Actor, LedgerAdapter, append, auto};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::{Value, json};
use time::macros::datetime;

/// Gives `user` these roles instead of the ones that there are.
async fn roles(api: &Api, user: &User, roles: &str) {
    let sql = format!(
        "UPDATE users SET roles = '{{{roles}}}' WHERE id = '{}'",
        user.uid
    );
    api.db.execute_unprepared(&sql).await.unwrap();
}

async fn set_terms(api: &Api, who: &User, change: Value) -> reqwest::Response {
    let mut body = change;
    body["reason"] = json!("a test");
    api.order(Method::PUT, "/admin/payout-policy", who, &body)
        .await
}

#[tokio::test]
async fn who_is_paid_does_not_lift_the_limit_for_oneself() {
    let api = Api::new().await;
    let payee = api.payee("ada", 100 * TWIST).await;
    let before = api.count("payout_policies").await;
    let lift = json!({ "approvalLimit": (1_000_000 * TWIST).to_string() });
    roles(&api, &payee.user, "influencer,operator,admin").await;
    let own = set_terms(&api, &payee.user, lift.clone()).await;
    assert_eq!(problem(own, 403).await, "payout.own_approval");
    // Nor while the role is laid down for a moment.
    roles(&api, &payee.user, "admin").await;
    let own = set_terms(&api, &payee.user, lift.clone()).await;
    assert_eq!(problem(own, 403).await, "payout.own_approval");
    let operator = api.with("operator").await;
    let refused = set_terms(&api, &operator, lift.clone()).await;
    assert_eq!(problem(refused, 403).await, "permission.denied");
    assert_eq!(api.count("payout_policies").await, before);
    let read = api.read("/admin/payout-policy", &operator.token).await;
    assert_ne!(read["approvalLimit"], lift["approvalLimit"]);
    let admin = api.with("admin").await;
    let set = good(set_terms(&api, &admin, lift.clone()).await, 200).await;
    assert_eq!(set["approvalLimit"], lift["approvalLimit"]);
}

#[tokio::test]
async fn a_payout_in_small_steps_waits_for_a_person_as_one_of_the_sum_does() {
    let api = Api::new().await;
    let payee = api.payee("ada", 100 * TWIST).await;
    let operator = api.with("operator").await;
    api.terms(json!({ "approvalLimit": (20 * TWIST).to_string() }))
        .await;
    assert_eq!(api.asked(&payee, 10 * TWIST).await["state"], "approved");
    assert_eq!(api.sweep().await, 1);
    let second = api.asked(&payee, 10 * TWIST + 1).await;
    assert_eq!(second["state"], "requested");
    // What was turned down or called off was not paid.
    good(api.decide(&operator, &second, "reject").await, 200).await;
    let off = api.asked(&payee, 10 * TWIST).await;
    assert_eq!(off["state"], "approved");
    good(api.decide(&payee.user, &off, "cancel").await, 200).await;
    let third = api.asked(&payee, 10 * TWIST).await;
    assert_eq!(third["state"], "approved");
    assert_eq!(api.sweep().await, 1);
    // A day later it is another day, also for what was asked for by somebody else.
    let other = api.payee("bob", 20 * TWIST).await;
    assert_eq!(api.asked(&other, 20 * TWIST).await["state"], "approved");
    let fourth = api.asked(&payee, 20 * TWIST + 1).await;
    assert_eq!(fourth["state"], "requested");
    good(api.decide(&operator, &fourth, "hold").await, 200).await;
    api.as_owner("UPDATE payouts SET requested_at = requested_at - interval '25 hours'")
        .await;
    // However long it was held, it counts itself.
    let released = good(api.decide(&operator, &fourth, "release").await, 200).await;
    assert_eq!(released["state"], "requested");
    good(api.decide(&payee.user, &fourth, "cancel").await, 200).await;
    assert_eq!(api.asked(&payee, 20 * TWIST).await["state"], "approved");
    api.assert_sound().await;
}

#[tokio::test]
async fn from_whom_the_role_was_taken_is_not_paid_each_month_and_can_call_off() {
    let api = Api::new().await;
    let payee = api.payee("ada", 100 * TWIST).await;
    let wish = |enabled: bool| json!({ "enabled": enabled, "method": "ledger" });
    let set = async |enabled: bool| {
        api.order(Method::PUT, "/payouts/auto", &payee.user, &wish(enabled))
            .await
    };
    good(set(true).await, 200).await;
    let open = api.asked(&payee, 20 * TWIST).await;
    roles(&api, &payee.user, "").await;
    let off = good(api.decide(&payee.user, &open, "cancel").await, 200).await;
    assert_eq!(off["state"], "cancelled");
    let due = datetime!(2026-12-01 12:00 UTC);
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 0);
    assert_eq!(api.count("payouts").await, 1);
    let asked = api.ask(&payee, 20 * TWIST).await;
    assert_eq!(problem(asked, 403).await, "permission.denied");
    good(set(false).await, 200).await;
    assert_eq!(problem(set(true).await, 403).await, "permission.denied");
    roles(&api, &payee.user, "influencer").await;
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 0);
    good(set(true).await, 200).await;
    assert_eq!(auto::run(&api.db, &LedgerAdapter, due).await.unwrap(), 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn two_changes_of_the_terms_at_once_do_not_undo_each_other() {
    let api = Api::new().await;
    let admin = api.with("admin").await;
    let tx = api.db.begin().await.unwrap();
    let raise = |now: &Policy| {
        Policy::new(
            now.minimum(),
            500,
            now.processing_fee(),
            now.approval_limit(),
            now.holding_seconds(),
        )
    };
    let by = Actor::Job("tests");
    append(&tx, raise, &by, "the first").await.unwrap();
    let second = set_terms(&api, &admin, json!({ "processingFee": "7" }));
    let commit = async {
        let waiting = "pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while api.count(waiting).await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        tx.commit().await.unwrap();
    };
    let (second, ()) = tokio::join!(second, commit);
    let terms = good(second, 200).await;
    assert_eq!(
        (&terms["platformFeeBps"], &terms["processingFee"]),
        (&json!(500), &json!("7"))
    );
}

#[tokio::test]
async fn a_request_that_is_sent_again_under_other_terms_is_the_payout_that_it_was() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let key = "a-key-of-the-tests-1";
    let ask = async |units: u64| {
        let body = json!({ "amount": units.to_string(), "method": "ledger" });
        api.order_with(key, Method::POST, "/payouts/request", &payee.user, &body)
            .await
    };
    let first = good(ask(20 * TWIST).await, 201).await;
    assert_eq!(api.sweep().await, 1);
    // Long after, when the answer is forgotten.
    api.as_owner("DELETE FROM idempotency_keys").await;
    api.terms(json!({ "minimum": (30 * TWIST).to_string() }))
        .await;
    let late = good(ask(20 * TWIST).await, 201).await;
    assert_eq!(
        (&late["id"], &late["state"], &late["netAmount"]),
        (&first["id"], &json!("finalized"), &first["netAmount"])
    );
    api.as_owner("DELETE FROM idempotency_keys").await;
    let other = ask(30 * TWIST).await;
    assert_eq!(problem(other, 422).await, "idempotency.key_reused");
    assert_eq!(api.count("payouts").await, 1);
    api.assert_sound().await;
}
