//! What is wrong with payouts is found by the checks, and a payout's trail leads from its earnings to its payment.

use crate::pool::{TWIST, good};
use crate::support::Api;
use ledger::explain::trail;
use payouts::release;
use sea_orm::{ConnectionTrait as _, Database, TransactionTrait as _};
use serde_json::json;

/// What `sql`, run by somebody with the owner's rights, breaks.
async fn broken_by(api: &Api, sql: &str) -> Vec<&'static str> {
    let owner = Database::connect(api.owner_url()).await.unwrap();
    let tx = owner.begin().await.unwrap();
    tx.execute_unprepared(sql).await.unwrap();
    let findings = ledger::check::run(&tx).await.unwrap();
    tx.rollback().await.unwrap();
    owner.close().await.unwrap();
    let broken = findings.iter().filter(|finding| !finding.holds());
    broken.map(|finding| finding.invariant.id).collect()
}

/// A payout of each kind, and an earning that is held.
async fn busy() -> Api {
    let api = Api::new().await;
    let payee = api.payee("ada", 200 * TWIST).await;
    let operator = api.with("operator").await;
    api.asked(&payee, 20 * TWIST).await;
    assert_eq!(api.sweep().await, 1);
    let off = api.asked(&payee, 20 * TWIST).await;
    good(api.decide(&payee.user, &off, "cancel").await, 200).await;
    let down = api.asked(&payee, 20 * TWIST).await;
    good(api.decide(&operator, &down, "reject").await, 200).await;
    api.asked(&payee, 30 * TWIST).await;
    api.terms(json!({ "holdingSeconds": 3_600 })).await;
    api.earn(&payee, 8 * TWIST).await;
    api.earn(&payee, 4 * TWIST).await;
    api.as_owner(
        "UPDATE held_earnings SET release_at = now() - interval '1 second' WHERE amount = 4000000000",
    )
    .await;
    assert_eq!(release::run(&api.db, 5).await.unwrap(), 1);
    api.assert_sound().await;
    api
}

#[tokio::test]
async fn a_payout_that_is_not_what_the_ledger_says_is_found() {
    let api = busy().await;
    for (sql, found) in [
        (
            "UPDATE payouts SET amount = amount + 1, net = net + 1 WHERE state = 'approved'",
            vec!["L10"],
        ),
        (
            "UPDATE payouts SET amount = amount + 1, net = net + 1 WHERE state = 'finalized'",
            vec!["L10"],
        ),
        (
            "UPDATE payouts SET net = net - 1, platform_fee = platform_fee + 1 WHERE state = 'finalized'",
            vec!["L10"],
        ),
        (
            "UPDATE payouts SET state = 'cancelled', processed_at = now() WHERE state = 'approved'",
            vec!["L10"],
        ),
        (
            "DROP INDEX payouts_one_open; \
             UPDATE payouts SET state = 'approved', processed_at = NULL WHERE state = 'cancelled'",
            vec!["L10", "L14"],
        ),
        ("UPDATE payouts SET version = version + 1", vec!["L10"]),
        (
            "DELETE FROM payout_events WHERE to_state = 'finalized'",
            vec!["L10"],
        ),
        (
            "UPDATE held_earnings SET amount = amount + 1 WHERE released_at IS NULL",
            vec!["L10", "L14"],
        ),
        (
            "DELETE FROM held_earnings WHERE released_at IS NULL",
            vec!["L10"],
        ),
        (
            "UPDATE held_earnings SET amount = amount + 1 WHERE released_at IS NOT NULL",
            vec!["L14"],
        ),
    ] {
        assert_eq!(broken_by(&api, sql).await, found, "{sql}");
    }
}

#[tokio::test]
async fn a_distribution_that_is_not_what_the_ledger_gave_is_found() {
    let api = busy().await;
    for (sql, found) in [
        (
            "UPDATE distributions SET influencer_share = influencer_share - 1, staker_share = staker_share + 1 \
             WHERE amount = 5000000000",
            vec!["L12", "S1"],
        ),
        (
            "UPDATE distributions SET influencer_share = influencer_share + 1, amount = amount + 1 \
             WHERE amount = 5000000000; UPDATE staking_pools SET earned = earned + 1",
            vec!["L12"],
        ),
        (
            "ALTER TABLE distributions DROP CONSTRAINT distributions_check; \
             UPDATE distributions SET influencer_share = influencer_share - 1 WHERE amount = 5000000000",
            vec!["L12"],
        ),
    ] {
        assert_eq!(broken_by(&api, sql).await, found, "{sql}");
    }
}

#[tokio::test]
async fn money_without_a_record_and_a_record_without_money_are_found() {
    let api = busy().await;
    for (sql, found) in [
        (
            "DELETE FROM stake_events WHERE action = 'stake'",
            vec!["L11", "L14"],
        ),
        (
            "UPDATE stake_events SET amount = amount + 1 WHERE action = 'stake'",
            vec!["L11", "L14"],
        ),
        (
            "DELETE FROM distributions WHERE amount = 5000000000",
            vec!["L14", "S1"],
        ),
        (
            "DELETE FROM payout_events USING payouts p WHERE p.id = payout_id AND p.state = 'rejected'; \
             DELETE FROM payouts WHERE state = 'rejected'",
            vec!["L14"],
        ),
        (
            "DELETE FROM held_earnings WHERE released_at IS NOT NULL",
            vec!["L14"],
        ),
    ] {
        assert_eq!(broken_by(&api, sql).await, found, "{sql}");
    }
}

#[tokio::test]
async fn anything_on_chain_is_found_while_nothing_is_paid_there() {
    let api = busy().await;
    let attempt = "INSERT INTO payout_attempts (id, payout_id, number, adapter, signature, signed_bytes) \
                   SELECT gen_random_uuid(), id, 1, 'solana', 'x', '' FROM payouts WHERE state = 'approved'";
    assert_eq!(broken_by(&api, attempt).await, ["L9"]);
    let vault = "INSERT INTO ledger_account (id, kind, normal_side, posted_debits, posted_credits) \
                 VALUES (gen_random_uuid(), 'chain:vault', 'debit', 5, 5)";
    assert_eq!(broken_by(&api, vault).await, ["L3", "L9"]);
    // Two that may both take effect cannot even be written.
    let twice = format!(
        "{attempt}; {}",
        attempt.replace("1, 'solana', 'x'", "2, 'solana', 'y'")
    );
    let owner = Database::connect(api.owner_url()).await.unwrap();
    assert!(owner.execute_unprepared(&twice).await.is_err());
}

#[tokio::test]
async fn the_trail_of_a_payout_leads_from_its_earnings_to_its_payment_each_step_sealed() {
    let api = Api::new().await;
    let payee = api.payee("ada", 20 * TWIST).await;
    api.terms(json!({ "holdingSeconds": 3_600 })).await;
    api.earn(&payee, 12 * TWIST).await;
    api.as_owner("UPDATE held_earnings SET release_at = now() - interval '1 second'")
        .await;
    assert_eq!(release::run(&api.db, 5).await.unwrap(), 1);
    api.terms(json!({ "holdingSeconds": 0 })).await;
    api.earn(&payee, 40 * TWIST).await;
    // The first takes 15 of the first 20; the second the other 5, the 12 that were held, and 3 of the last 40.
    api.asked(&payee, 15 * TWIST).await;
    assert_eq!(api.sweep().await, 1);
    let payout = api.asked(&payee, 20 * TWIST).await;
    assert_eq!(api.sweep().await, 1);
    while ledger::chain::seal(&api.db, 500).await.unwrap() > 0 {}

    let id = payout["id"].as_str().unwrap();
    let trail = trail(&api.db, id).await.unwrap();
    let record = trail.payout.unwrap();
    assert_eq!(
        (record.amount, record.fees, record.net),
        (20_000_000_000, 2_100_000_000, 17_900_000_000)
    );
    let states: Vec<&str> = record.changes.iter().map(|c| c.state.as_str()).collect();
    assert_eq!(states, ["requested", "approved", "finalized"]);
    assert_eq!(record.changes[2].actor, "adapter:ledger");
    let paid: Vec<(i64, bool)> = trail
        .earnings
        .iter()
        .map(|earning| (earning.paid, earning.release_id.is_some()))
        .collect();
    assert_eq!(
        paid,
        [
            (5_000_000_000, false),
            (12_000_000_000, true),
            (3_000_000_000, false)
        ]
    );
    let kinds: Vec<(&str, &str)> = trail
        .steps
        .iter()
        .map(|step| (step.kind.as_str(), step.phase.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("operator_deposit", "posted"),
            ("operator_deposit", "posted"),
            ("commission_released", "posted"),
            ("operator_deposit", "posted"),
            ("payout_requested", "pending"),
            ("payout_approved", "post_pending"),
            ("payout_paid", "posted"),
        ]
    );
    assert!(
        trail
            .steps
            .iter()
            .all(|step| step.seal.as_ref().is_some_and(|seal| seal.holds))
    );
    api.assert_sound().await;
}

#[tokio::test]
async fn no_earning_is_shown_as_paid_by_a_payout_that_was_not() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let operator = api.with("operator").await;
    let off = api.asked(&payee, 20 * TWIST).await;
    good(api.decide(&payee.user, &off, "cancel").await, 200).await;
    let down = api.asked(&payee, 20 * TWIST).await;
    good(api.decide(&operator, &down, "reject").await, 200).await;
    let paid = api.asked(&payee, 30 * TWIST).await;
    let shown = async |payout: &serde_json::Value| {
        let trail = trail(&api.db, payout["id"].as_str().unwrap())
            .await
            .unwrap();
        let steps = trail.steps.len();
        let paid = trail
            .earnings
            .iter()
            .map(|earning| earning.paid)
            .sum::<i64>();
        (steps, paid)
    };
    // What is still open will pay it; the deposit is a step of its trail.
    assert_eq!(shown(&paid).await, (2, 30_000_000_000));
    assert_eq!(api.sweep().await, 1);
    assert_eq!(shown(&paid).await, (4, 30_000_000_000));
    for payout in [&off, &down] {
        assert_eq!(shown(payout).await, (2, 0));
    }
    api.assert_sound().await;
}

#[tokio::test]
async fn a_payout_is_found_however_its_id_is_written() {
    let api = Api::new().await;
    let payee = api.payee("ada", 20 * TWIST).await;
    let payout = api.asked(&payee, 20 * TWIST).await;
    assert_eq!(api.sweep().await, 1);
    let id = payout["id"].as_str().unwrap();
    let whole = trail(&api.db, id).await.unwrap();
    assert_eq!(whole.steps.len(), 4);
    for written in [
        id.to_uppercase(),
        format!("{{{id}}}"),
        id.replace('-', ""),
        format!("urn:uuid:{id}"),
    ] {
        assert_eq!(trail(&api.db, &written).await.unwrap(), whole, "{written}");
    }
}
