//! Money into a pool, through it and out again.

use crate::pool::{TWIST, good};
use crate::support::{Api, problem};
use domain::Amount;
use influencer_api::store::staking::{Earning, Source, distribute};
use ledger::account::Account;
use ledger::freeze::{FreezeOrder, set_frozen};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_stake_lives_from_its_deposit_to_its_withdrawal_and_pays_what_it_earned() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "Ada_1", json!({})).await;
    let (a, b) = (
        api.funded(2_000 * TWIST).await,
        api.funded(500 * TWIST).await,
    );

    let staked = good(api.stake(&a, pool, 900 * TWIST).await, 201).await;
    assert_eq!(staked["success"], true);
    assert_eq!(staked["newTotalStaked"], (900 * TWIST).to_string());
    assert_eq!(staked["estimatedApy"], 0.0);
    assert_eq!(api.balance(&a).await, 1_100 * TWIST);
    good(api.stake(&b, pool, 300 * TWIST).await, 201).await;

    let path = format!("/staking/influencer/{pool}");
    let details = api.read(&path, "").await;
    assert_eq!(details["influencer"]["username"], "ada_1");
    assert_eq!(details["influencer"]["tier"], "SILVER");
    assert_eq!(details["pool"]["revenueSharePercent"], 20.0);
    assert_eq!(details["metrics"]["stakerCount"], 2);
    assert_eq!(details["topStakers"][1]["percentage"], 33.33);
    assert_eq!(
        details["recentActivity"][1]["transactionId"],
        staked["transactionId"]
    );
    let days = details["historicalApy"].as_array().unwrap();
    assert_eq!(days.len(), 30);
    assert_eq!(days[29]["totalStaked"], (1_200 * TWIST).to_string());
    assert_eq!(days[28]["totalStaked"], "0");

    // 20 % of 100 TWIST to the stakers, three to one; the rest to the influencer.
    let given = good(api.deposit(&operator, pool, 100 * TWIST).await, 201).await;
    assert_eq!(given["stakerShare"], (20 * TWIST).to_string());
    assert_eq!(given["influencerShare"], (80 * TWIST).to_string());
    let own = api.stakes_of(&a).await;
    assert_eq!(own[0]["stake"]["pendingRewards"], (15 * TWIST).to_string());
    assert_eq!(own[0]["pool"]["stakerCount"], 2);
    // ⌊20 / 1200 × 10^4⌋ = 166 parts a month.
    assert_eq!(own[0]["stake"]["apy"], 22.37);

    let claimed = good(api.claim(&a, pool).await, 201).await;
    assert_eq!(claimed["claimedAmount"], (15 * TWIST).to_string());
    assert_eq!(claimed["totalClaimed"], (15 * TWIST).to_string());
    assert_eq!(api.balance(&a).await, 1_115 * TWIST);
    let again = api.claim(&a, pool).await;
    assert_eq!(problem(again, 400).await, "stake.nothing_to_claim");

    // Taking all back keeps what was earned.
    let left = good(api.unstake(&b, pool, 300 * TWIST).await, 201).await;
    assert_eq!(left["remainingStake"], "0");
    assert_eq!(
        api.stakes_of(&b).await[0]["stake"]["pendingRewards"],
        (5 * TWIST).to_string()
    );
    good(api.claim(&b, pool).await, 201).await;
    assert_eq!(api.balance(&b).await, 505 * TWIST);
    assert_eq!(api.stakes_of(&b).await, json!([]));
    assert_eq!(
        problem(api.claim(&b, pool).await, 404).await,
        "stake.not_found"
    );
    let details = api.read(&path, "").await;
    assert_eq!(details["influencer"]["tier"], "BRONZE");
    assert_eq!(details["metrics"]["stakerCount"], 1);
    assert_eq!(details["metrics"]["pendingRewards"], "0");

    // Who comes back begins anew, and gets nothing of what was before.
    good(api.stake(&b, pool, TWIST).await, 201).await;
    assert_eq!(
        problem(api.claim(&b, pool).await, 400).await,
        "stake.nothing_to_claim"
    );
    api.assert_sound().await;
}

#[tokio::test]
async fn the_history_is_paged_and_names_the_ledgers_transactions() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "history", json!({})).await;
    let user = api.funded(100 * TWIST).await;
    let mut made = Vec::new();
    for n in 1..=5 {
        let done = good(api.stake(&user, pool, n * TWIST).await, 201).await;
        made.push(done["transactionId"].clone());
    }
    made.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/staking/user/{}/history?limit=2{cursor}", user.wallet);
        let page = api.read(&path, &user.token).await;
        let entries = page["history"].as_array().unwrap();
        seen.extend(entries.iter().map(|entry| entry["transactionId"].clone()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, made);
    for id in seen {
        let sql = format!(
            "ledger_tx WHERE id = '{}' AND kind = 'stake_deposited'",
            id.as_str().unwrap()
        );
        assert_eq!(api.count(&sql).await, 1);
    }
    api.assert_sound().await;
}

#[tokio::test]
async fn a_request_that_is_sent_again_moves_money_once() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "repeat", json!({})).await;
    let user = api.funded(10 * TWIST).await;
    let key = "a-key-of-the-tests-1";
    let deposits = format!("/staking/pools/{pool}/deposits");
    for (path, who, body) in [
        (
            "/staking/stake",
            &user,
            json!({ "influencerId": pool, "amount": "4000000000" }),
        ),
        (
            deposits.as_str(),
            &operator,
            json!({ "amount": "1000000000" }),
        ),
        ("/staking/claim", &user, json!({ "influencerId": pool })),
        (
            "/staking/unstake",
            &user,
            json!({ "influencerId": pool, "amount": "1000000000" }),
        ),
    ] {
        let first = api.order_with(key, Method::POST, path, who, &body).await;
        let first = good(first, 201).await;
        let again = api.order_with(key, Method::POST, path, who, &body).await;
        assert_eq!(again.headers()["idempotency-replayed"], "true", "{path}");
        assert_eq!(good(again, 201).await, first, "{path}");
    }
    let other = json!({ "influencerId": pool, "amount": "5000000000" });
    let reused = api
        .order_with(key, Method::POST, "/staking/stake", &user, &other)
        .await;
    assert_eq!(problem(reused, 422).await, "idempotency.key_reused");
    assert_eq!(
        api.balance(&user).await,
        10 * TWIST - 4 * TWIST + TWIST / 5 + TWIST
    );
    assert_eq!(api.count("stake_events").await, 3);
    assert_eq!(api.count("distributions").await, 1);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_commission_is_distributed_once_whoever_asks_how_often() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "commission", json!({})).await;
    let user = api.funded(10 * TWIST).await;
    good(api.stake(&user, pool, TWIST).await, 201).await;
    let earning = |units| Earning {
        source: Source::Commission,
        source_ref: "conversion-1",
        amount: Amount::from_units(units).unwrap(),
        from: Account::ExternalWorld,
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        let tx = api.db.begin().await.unwrap();
        seen.push(distribute(&tx, pool, &earning(7)).await.unwrap());
        tx.commit().await.unwrap();
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(
        (
            seen[0].staker_share.units(),
            seen[0].influencer_share.units()
        ),
        (1, 6)
    );
    let tx = api.db.begin().await.unwrap();
    assert!(distribute(&tx, pool, &earning(8)).await.is_err());
    tx.rollback().await.unwrap();
    // So little that the stakers' part is nothing goes to the influencer whole.
    let tx = api.db.begin().await.unwrap();
    let dust = Earning {
        source_ref: "conversion-2",
        ..earning(4)
    };
    assert_eq!(
        distribute(&tx, pool, &dust).await.unwrap().staker_share,
        Amount::ZERO
    );
    tx.commit().await.unwrap();
    assert_eq!(api.count("distributions").await, 2);
    api.assert_sound().await;
}

#[tokio::test]
async fn terms_are_bounded_by_the_tier_and_a_pool_that_falls_pays_what_its_tier_allows() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api
        .pool(&operator, "terms", json!({ "cooldownSeconds": 0 }))
        .await;
    let path = format!("/staking/pools/{pool}");
    let user = api.funded(2_000 * TWIST).await;
    for bps in [2_001, 5_001, 65_535] {
        let refused = api
            .order(
                Method::PATCH,
                &path,
                &operator,
                &json!({ "revenueShareBps": bps }),
            )
            .await;
        let refused: Value = good(refused, 400).await;
        assert_eq!(refused["errors"][0]["pointer"], "/revenueShareBps");
    }
    good(api.stake(&user, pool, 1_000 * TWIST).await, 201).await;
    let raised = api
        .order(
            Method::PATCH,
            &path,
            &operator,
            &json!({ "revenueShareBps": 3_000 }),
        )
        .await;
    assert_eq!(good(raised, 200).await["pool"]["revenueSharePercent"], 30.0);
    good(api.unstake(&user, pool, TWIST).await, 201).await;
    let given = good(api.deposit(&operator, pool, 1_000).await, 201).await;
    assert_eq!(given["stakerShare"], "200");

    // A cooldown holds stakes, not rewards; a closed pool gives back and pays, but takes nothing.
    let terms = json!({ "cooldownSeconds": 3_600, "active": false });
    good(
        api.order(Method::PATCH, &path, &operator, &terms).await,
        200,
    )
    .await;
    let held = api.unstake(&user, pool, TWIST).await;
    assert!(held.headers().contains_key("retry-after"));
    assert_eq!(problem(held, 409).await, "stake.cooling_down");
    good(api.claim(&user, pool).await, 201).await;
    assert_eq!(
        problem(api.stake(&user, pool, TWIST).await, 404).await,
        "stake.pool_not_found"
    );
    assert_eq!(
        problem(api.deposit(&operator, pool, 9).await, 404).await,
        "stake.pool_not_found"
    );
    api.as_owner("UPDATE stakes SET last_staked_at = now() - interval '2 hours'")
        .await;
    good(api.unstake(&user, pool, 999 * TWIST).await, 201).await;
    assert_eq!(api.balance(&user).await, 2_000 * TWIST + 200);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_frozen_account_stakes_nothing() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "frozen", json!({})).await;
    let user = api.funded(5 * TWIST).await;
    let freeze = FreezeOrder {
        id: Uuid::new_v4(),
        account: Account::UserAvailable(user.uid).id(),
        frozen: true,
        reason: "looked into".to_owned(),
        actor: "the tests".to_owned(),
    };
    assert!(set_frozen(&api.db, &freeze).await.unwrap());
    assert_eq!(
        problem(api.stake(&user, pool, TWIST).await, 403).await,
        "ledger.account_frozen"
    );
    assert_eq!(api.count("stakes").await, 0);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_wrong_number_in_a_pool_is_found_by_the_checks() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let pool = api.pool(&operator, "checked", json!({})).await;
    let user = api.funded(9 * TWIST).await;
    good(api.stake(&user, pool, 3 * TWIST).await, 201).await;
    good(api.deposit(&operator, pool, 1_000).await, 201).await;
    api.assert_sound().await;
    for (sql, found) in [
        ("UPDATE stakes SET amount = amount + 1", vec!["L11", "S1"]),
        (
            "UPDATE staking_pools SET total_staked = total_staked - 1",
            vec!["L11"],
        ),
        ("UPDATE staking_pools SET ahead = ahead + 1", vec!["S1"]),
        (
            "UPDATE staking_pools SET distributed = distributed + 1, earned = earned + 1",
            vec!["S1"],
        ),
        ("UPDATE stakes SET carried = carried + 1", vec!["S1"]),
        (
            "UPDATE stakes SET total_claimed = total_claimed + 1",
            vec!["S1"],
        ),
    ] {
        let tx = api.db.begin().await.unwrap();
        tx.execute_unprepared(sql).await.unwrap();
        let findings = ledger::check::run(&tx).await.unwrap();
        let broken = findings.iter().filter(|finding| !finding.holds());
        let broken: Vec<&str> = broken.map(|finding| finding.invariant.id).collect();
        assert_eq!(broken, found, "{sql}");
        tx.rollback().await.unwrap();
    }
    for table in ["stake_events", "distributions"] {
        let sql = format!("DELETE FROM {table}");
        assert!(
            api.db.execute_unprepared(&sql).await.is_err(),
            "{table} can be emptied"
        );
    }
}
