//! Many at once on one payout, and one influencer's money pulled in all directions.

use crate::pool::{TWIST, good};
use crate::support::Api;
use payouts::{LedgerAdapter, settle};
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_requests_at_once_are_one_open_payout() {
    let api = Arc::new(Api::new().await);
    let payee = Arc::new(api.payee("ada", 1_000 * TWIST).await);
    let mut crowd = JoinSet::new();
    for _ in 0..64 {
        let (api, payee) = (Arc::clone(&api), Arc::clone(&payee));
        crowd.spawn(async move { api.ask(&payee, 10 * TWIST).await.status().as_u16() });
    }
    let mut made = 0;
    for status in crowd.join_all().await {
        assert!([201, 409].contains(&status), "{status}");
        made += u32::from(status == 201);
    }
    assert_eq!(made, 1);
    assert_eq!(api.payable(&payee).await, [990 * TWIST, 10 * TWIST, 0]);
    assert_eq!(api.count("payouts").await, 1);
    api.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settlers_and_operators_at_once_pay_once() {
    let api = Arc::new(Api::new().await);
    let operator = Arc::new(api.with("operator").await);
    let mut payouts = Vec::new();
    let mut payees = Vec::new();
    for name in ["ada", "bob", "cleo"] {
        let payee = api.payee(name, 40 * TWIST).await;
        payouts.push(api.asked(&payee, 40 * TWIST).await);
        payees.push(payee);
    }
    let payouts = Arc::new(payouts);
    let mut crowd = JoinSet::new();
    for n in 0..24 {
        let (api, operator, payouts) = (
            Arc::clone(&api),
            Arc::clone(&operator),
            Arc::clone(&payouts),
        );
        crowd.spawn(async move {
            if n % 2 == 0 {
                settle::run(&api.db, &LedgerAdapter, 10).await.unwrap()
            } else {
                let answer = api.decide(&operator, &payouts[n % 3], "process").await;
                let status = answer.status().as_u16();
                assert!([200, 409].contains(&status), "{status}");
                u32::from(status == 200)
            }
        });
    }
    let paid: u32 = crowd.join_all().await.into_iter().sum();
    assert_eq!(paid, 3);
    for payee in &payees {
        assert_eq!(api.balance(&payee.user).await, 35_900_000_000);
    }
    api.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_earnings_cancellations_and_payments_at_once_leave_every_unit_accounted_for() {
    let api = Arc::new(Api::new().await);
    let payee = Arc::new(api.payee("ada", 400 * TWIST).await);
    let operator = Arc::new(api.with("operator").await);
    let mut crowd = JoinSet::new();
    for n in 0..8_u64 {
        let (api, payee, operator) = (Arc::clone(&api), Arc::clone(&payee), Arc::clone(&operator));
        crowd.spawn(async move {
            for round in 0..12 {
                let status = match (n + round) % 4 {
                    0 => api.ask(&payee, (10 + n) * TWIST).await.status(),
                    1 => {
                        let open = api
                            .read("/payouts/history?status=pending", &payee.user.token)
                            .await;
                        let open = open["payouts"].get(0).cloned();
                        match open {
                            Some(open) if round % 2 == 0 => {
                                api.decide(&payee.user, &open, "cancel").await.status()
                            }
                            Some(open) => api.decide(&operator, &open, "process").await.status(),
                            None => reqwest::StatusCode::OK,
                        }
                    }
                    2 => {
                        settle::run(&api.db, &LedgerAdapter, 5).await.unwrap();
                        reqwest::StatusCode::OK
                    }
                    _ => api
                        .deposit(&operator, payee.influencer, 5 * TWIST)
                        .await
                        .status(),
                };
                assert!([200, 201, 400, 409].contains(&status.as_u16()), "{status}");
            }
        });
    }
    crowd.join_all().await;
    api.sweep().await;
    let history = api
        .read("/payouts/history?limit=100", &payee.user.token)
        .await;
    let sum = |name: &str, status: &str| -> u64 {
        let all = history["payouts"].as_array().unwrap().iter();
        all.filter(|payout| payout["status"] == status)
            .map(|payout| payout[name].as_str().unwrap().parse::<u64>().unwrap())
            .sum()
    };
    assert_eq!(sum("amount", "pending"), 0);
    assert_eq!(
        api.balance(&payee.user).await,
        sum("netAmount", "completed")
    );
    let earned =
        400 * TWIST + 4 * TWIST * u64::try_from(api.count("distributions").await - 1).unwrap();
    assert_eq!(
        api.payable(&payee).await,
        [earned - sum("amount", "completed"), 0, 0]
    );
    assert!(sum("amount", "completed") > 0);
    api.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_is_cancelled_or_paid_and_never_both() {
    let api = Arc::new(Api::new().await);
    let payee = Arc::new(api.payee("ada", 1_000 * TWIST).await);
    let (mut cancelled, mut paid) = (0, 0);
    for _ in 0..12 {
        let payout = api.asked(&payee, 10 * TWIST).await;
        let (off, settled) = tokio::join!(
            api.decide(&payee.user, &payout, "cancel"),
            settle::run(&api.db, &LedgerAdapter, 5)
        );
        let off = off.status() == 200;
        let settled = settled.unwrap() == 1;
        // The sweep passes over what another has in hand; it is then paid by the next one, unless it was called off.
        let settled = settled || (!off && api.sweep().await == 1);
        assert!(off != settled, "cancelled {off}, paid {settled}");
        cancelled += u64::from(off);
        paid += u64::from(settled);
    }
    assert_eq!(cancelled + paid, 12);
    assert_eq!(api.balance(&payee.user).await, paid * 8_900_000_000);
    assert_eq!(
        good(api.ask(&payee, 10 * TWIST).await, 201).await["status"],
        json!("pending")
    );
    api.assert_sound().await;
}
