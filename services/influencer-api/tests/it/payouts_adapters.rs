//! Ways to pay other than the ledger: what they say becomes of a payout.

use crate::pool::TWIST;
use crate::support::{Api, problem};
use domain::payout::Change;
use payouts::{Method, Payment, Payout, PayoutError, SettlementAdapter, settle};
use sea_orm::DatabaseTransaction;
use serde_json::json;

/// Says what the test wants; `None`: that nothing could be done.
struct Says(Option<Payment>);

impl SettlementAdapter for Says {
    fn name(&self) -> &'static str {
        "tests"
    }

    fn methods(&self) -> &'static [Method] {
        &[Method::Ledger]
    }

    async fn pay(&self, _: &DatabaseTransaction, _: &Payout) -> Result<Payment, PayoutError> {
        self.0.clone().ok_or(PayoutError::MethodUnavailable)
    }
}

#[tokio::test]
async fn what_provably_cannot_be_paid_is_given_back_and_told() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let payout = api.asked(&payee, 40 * TWIST).await;
    let says = Says(Some(Payment::Failed("the wallet is closed".to_owned())));
    assert_eq!(settle::run(&api.db, &says, 5).await.unwrap(), 1);
    let path = format!("/payouts/{}", payout["id"].as_str().unwrap());
    let failed = api.read(&path, &payee.user.token).await;
    assert_eq!(
        (&failed["status"], &failed["failureReason"]),
        (&json!("failed"), &json!("the wallet is closed"))
    );
    assert_eq!(api.payable(&payee).await, [40 * TWIST, 0, 0]);
    let told = "outbox WHERE topic = 'twist.payouts.failed.v1'";
    assert_eq!(api.count(told).await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn what_is_signed_is_neither_called_off_nor_signed_again() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let operator = api.with("operator").await;
    let payout = api.asked(&payee, 40 * TWIST).await;
    let says = Says(Some(Payment::Step(Change::Sign)));
    assert_eq!(settle::run(&api.db, &says, 5).await.unwrap(), 1);
    assert_eq!(settle::run(&api.db, &says, 5).await.unwrap(), 0);
    assert_eq!(api.sweep().await, 0);
    let path = format!("/payouts/{}", payout["id"].as_str().unwrap());
    let signed = api.read(&path, &payee.user.token).await;
    assert_eq!(
        (&signed["status"], &signed["state"]),
        (&json!("processing"), &json!("signed"))
    );
    let off = api.decide(&payee.user, &payout, "cancel").await;
    assert_eq!(problem(off, 409).await, "payout.not_cancellable");
    for what in ["reject", "hold", "process", "approve"] {
        let refused = api.decide(&operator, &payout, what).await;
        assert_eq!(
            problem(refused, 409).await,
            "payout.state_conflict",
            "{what}"
        );
    }
    // Its money stays set aside, and no other payout can be asked for.
    assert_eq!(api.payable(&payee).await, [0, 40 * TWIST, 0]);
    let second = api.ask(&payee, 10 * TWIST).await;
    assert_eq!(problem(second, 409).await, "payout.already_open");
    api.assert_sound().await;
}

#[tokio::test]
async fn what_could_not_be_done_now_stays_as_it_was() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    api.asked(&payee, 40 * TWIST).await;
    assert_eq!(settle::run(&api.db, &Says(None), 5).await.unwrap(), 0);
    assert_eq!(api.payable(&payee).await, [0, 40 * TWIST, 0]);
    assert_eq!(api.sweep().await, 1);
    api.assert_sound().await;
}
