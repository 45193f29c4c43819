//! Finding pools.

use crate::pool::{TWIST, good};
use crate::support::{Api, problem};
use serde_json::{Value, json};

async fn names(api: &Api, query: &str) -> Vec<String> {
    let found = api.read(&format!("/staking/search?{query}"), "").await;
    let names = found.as_array().unwrap().iter();
    names
        .map(|one| one["username"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_filter_and_order_counts() {
    let api = Api::new().await;
    let operator = api.with("operator").await;
    let whale = api.funded(80_000 * TWIST).await;
    let small = api.funded(10 * TWIST).await;
    for (name, twist, given) in [
        ("bronze_one", 10, 0),
        ("silver_two", 1_000, 500),
        ("gold_three", 10_000, 1_000),
        ("platinum_four", 50_000, 0),
    ] {
        let pool = api.pool(&operator, name, json!({})).await;
        good(api.stake(&whale, pool, twist * TWIST).await, 201).await;
        if name == "silver_two" {
            good(api.stake(&small, pool, TWIST).await, 201).await;
        }
        if given > 0 {
            good(api.deposit(&operator, pool, given * TWIST).await, 201).await;
        }
    }
    api.pool(&operator, "empty_five", json!({})).await;
    api.pool(&operator, "closed_six", json!({ "active": false }))
        .await;

    let all = [
        "platinum_four",
        "gold_three",
        "silver_two",
        "bronze_one",
        "empty_five",
    ];
    for query in ["", "sortBy=totalStaked", "sortBy=tier"] {
        assert_eq!(names(&api, query).await, all, "{query}");
    }
    assert_eq!(
        names(&api, "sortBy=stakerCount&limit=1").await,
        ["silver_two"]
    );
    assert_eq!(
        names(&api, "sortBy=apy&limit=2").await,
        ["silver_two", "gold_three"]
    );
    assert_eq!(names(&api, "limit=2&offset=1").await, all[1..3]);
    assert_eq!(names(&api, "query=T_F").await, Vec::<String>::new());
    assert_eq!(names(&api, "query=M_FoUr").await, ["platinum_four"]);
    assert_eq!(names(&api, "query=%25").await, Vec::<String>::new());
    assert_eq!(names(&api, "minStaked=10000000000000").await, all[..2]);
    assert_eq!(names(&api, "minStaked=10000000000001").await, all[..1]);
    assert_eq!(
        names(&api, "tiers=GOLD,BRONZE").await,
        ["gold_three", "bronze_one", "empty_five"]
    );
    // ⌊100 / 1001 × 10^4⌋ = 999 parts a month; ⌊200 / 10000 × 10^4⌋ = 200: 27.54 %.
    assert_eq!(
        names(&api, "minApy=27.54").await,
        ["gold_three", "silver_two"]
    );
    assert_eq!(names(&api, "minApy=27.55").await, ["silver_two"]);
    // The same search with another filter right after has another answer.
    assert_eq!(names(&api, "minApy=0").await, all);

    let found = api.read("/staking/search?query=silver", "").await;
    let metrics = &found[0]["metrics"];
    assert_eq!(found[0]["tier"], "SILVER");
    assert_eq!(metrics["stakerCount"], 2);
    assert_eq!(
        metrics["totalRewardsDistributed"],
        (100 * TWIST).to_string()
    );
    assert_eq!(metrics["stakingTrend"], "up");
    let stakers = found[0]["recentStakers"].as_array().unwrap();
    assert_eq!(stakers.len(), 2);
    let shown = stakers[0]["userId"].as_str().unwrap();
    assert_eq!(shown, format!("{}...", &small.wallet.to_string()[..8]));
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_refused_with_a_pointer() {
    let api = Api::new().await;
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=1000", "/limit"),
        ("offset=-1", "/offset"),
        ("offset=10001", "/offset"),
        ("sortBy=name", "/sortBy"),
        ("minStaked=-1", "/minStaked"),
        ("minStaked=1.5", "/minStaked"),
        ("minStaked=0x1", "/minStaked"),
        ("minStaked=9223372036854775808", "/minStaked"),
        ("minApy=-1", "/minApy"),
        ("minApy=1e3", "/minApy"),
        ("minApy=1000000.01", "/minApy"),
        ("tiers=", "/tiers"),
        ("tiers=gold", "/tiers"),
        ("tiers=GOLD,", "/tiers"),
    ] {
        let refused: Value =
            good(api.get(&format!("/staking/search?{query}"), "").await, 400).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{query}");
    }
    let long = format!("/staking/search?query={}", "a".repeat(101));
    assert_eq!(
        problem(api.get(&long, "").await, 400).await,
        "validation.failed"
    );
    let unknown = api.get("/staking/search?colour=red", "").await;
    assert_eq!(problem(unknown, 400).await, "validation.failed");
}
