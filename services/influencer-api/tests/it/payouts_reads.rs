//! What is told about payouts.

use crate::pool::{TWIST, good};
use crate::support::{Api, problem};
use serde_json::json;

#[tokio::test]
async fn a_calculation_is_of_what_was_earned_in_the_period_and_charges_what_a_payout_would() {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let other = api.payee("bob", 80 * TWIST).await;
    let ask = async |body: serde_json::Value| {
        api.post("/payouts/calculate", &payee.user.token, &body)
            .await
    };
    let body = |from: &str, to: &str| json!({ "influencerId": payee.influencer, "startDate": from, "endDate": to, "includeBonus": true });
    let told = good(ask(body("2026-01-01", "2100-01-01")).await, 200).await;
    assert_eq!(told["influencerId"], json!(payee.influencer));
    assert_eq!(
        told["earnings"],
        json!({ "conversions": "0", "stakingRewards": "40000000000", "bonuses": "0", "total": "40000000000" })
    );
    assert_eq!(
        told["deductions"],
        json!({ "platformFee": "4000000000", "processingFee": "100000000", "total": "4100000000" })
    );
    assert_eq!(told["netAmount"], "35900000000");
    assert_eq!(told["items"].as_array().unwrap().len(), 1);
    assert_eq!(told["items"][0]["type"], "staking_reward");
    assert_eq!(told["period"]["end"], "2100-01-02T00:00:00Z");
    let nothing = good(ask(body("2020-01-01", "2020-12-31")).await, 200).await;
    assert_eq!(nothing["netAmount"], "0");
    assert_eq!(nothing["deductions"]["total"], "0");
    for (from, to) in [
        ("2026-02-30", "2026-03-01"),
        ("2026-03-01", "2026-02-01"),
        ("yesterday-", "2026-01-01"),
    ] {
        let refused = ask(body(from, to)).await;
        assert_eq!(problem(refused, 400).await, "validation.failed");
    }
    assert_eq!(api.payable(&other).await, [80 * TWIST, 0, 0]);
}

#[tokio::test]
async fn the_history_is_filtered_counted_and_paged() {
    let api = Api::new().await;
    let payee = api.payee("ada", 200 * TWIST).await;
    let mut made = Vec::new();
    for n in 0..5 {
        let payout = api.asked(&payee, (10 + n) * TWIST).await;
        match n % 2 {
            0 => drop(good(api.decide(&payee.user, &payout, "cancel").await, 200).await),
            _ => assert_eq!(api.sweep().await, 1),
        }
        made.push(payout["id"].clone());
    }
    made.reverse();
    let read = async |query: &str| {
        let path = format!("/payouts/history{query}");
        api.read(&path, &payee.user.token).await
    };
    let ids = |page: &serde_json::Value| {
        let payouts = page["payouts"].as_array().unwrap().iter();
        payouts
            .map(|payout| payout["id"].clone())
            .collect::<Vec<_>>()
    };
    let all = read("").await;
    assert_eq!(
        (&all["total"], &all["limit"], &all["offset"]),
        (&json!(5), &json!(20), &json!(0))
    );
    assert_eq!(ids(&all), made);
    let page = read("?limit=2&offset=2").await;
    assert_eq!(page["total"], 5);
    assert_eq!(ids(&page), made[2..4]);
    assert_eq!(read("?status=completed").await["total"], 2);
    assert_eq!(read("?status=cancelled").await["total"], 3);
    assert_eq!(read("?status=pending").await["total"], 0);
    assert_eq!(
        read("?startDate=2020-01-01&endDate=2020-01-31").await["total"],
        0
    );
    assert_eq!(read("?startDate=2020-01-01").await["total"], 5);
    for bad in [
        "?limit=0",
        "?limit=101",
        "?offset=10001",
        "?status=paid",
        "?startDate=x",
        "?limit=1&limit=2",
        "?color=red",
    ] {
        let refused = api
            .get(&format!("/payouts/history{bad}"), &payee.user.token)
            .await;
        assert_eq!(problem(refused, 400).await, "validation.failed", "{bad}");
    }
}

#[tokio::test]
async fn a_week_is_that_of_iso_also_where_a_year_ends() {
    let api = Api::new().await;
    let payee = api.payee("ada", 100 * TWIST).await;
    for (n, at) in [
        (0, "2026-12-27T23:59:59Z"),
        (1, "2026-12-28T00:00:00Z"),
        (2, "2027-01-03T23:59:59Z"),
        (3, "2027-01-04T00:00:00Z"),
    ] {
        let payout = api.asked(&payee, (10 + n) * TWIST).await;
        assert_eq!(api.sweep().await, 1);
        let id = payout["id"].as_str().unwrap();
        api.as_owner(&format!(
            "UPDATE payouts SET requested_at = '{at}' WHERE id = '{id}'"
        ))
        .await;
    }
    let off = api.asked(&payee, 10 * TWIST).await;
    good(api.decide(&payee.user, &off, "cancel").await, 200).await;
    let read = async |by: &str| {
        let path =
            format!("/payouts/analytics?startDate=2020-01-01&endDate=2028-12-31&groupBy={by}");
        let refused = api.get(&path, &payee.user.token).await;
        good(refused, 200).await
    };
    let weeks = read("week").await;
    let periods = |told: &serde_json::Value| {
        let periods = told["periods"].as_array().unwrap().iter();
        periods
            .map(|p| {
                (
                    p["period"].as_str().unwrap().to_owned(),
                    p["count"].as_u64().unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    let is = |list: &[(&str, u64)]| {
        list.iter()
            .map(|(p, n)| ((*p).to_owned(), *n))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        periods(&weeks),
        is(&[("2026-W52", 1), ("2026-W53", 2), ("2027-W01", 1)])
    );
    assert_eq!(weeks["periods"][1]["amount"], (23 * TWIST).to_string());
    assert_eq!(weeks["periods"][1]["average"], "11500000000");
    assert_eq!(
        weeks["summary"],
        json!({ "totalPayouts": 4, "totalAmount": "46000000000", "averageAmount": "11500000000" })
    );
    assert_eq!(
        periods(&read("month").await),
        is(&[("2026-12", 2), ("2027-01", 2)])
    );
    assert_eq!(read("day").await["periods"].as_array().unwrap().len(), 4);
    let stranger = api.user().await;
    let path = "/payouts/analytics?startDate=2020-01-01&endDate=2028-12-31";
    assert_eq!(
        api.read(path, &stranger.token).await["summary"]["totalPayouts"],
        0
    );
    let operator = api.with("operator").await;
    assert_eq!(
        api.read(path, &operator.token).await["summary"]["totalPayouts"],
        4
    );
    for bad in [
        "",
        "?startDate=2020-01-01",
        "?startDate=1970-01-01&endDate=2026-01-01",
        "?startDate=2020-01-01&endDate=2020-02-01&groupBy=hour",
    ] {
        let refused = api
            .get(&format!("/payouts/analytics{bad}"), &payee.user.token)
            .await;
        assert_eq!(problem(refused, 400).await, "validation.failed", "{bad}");
    }
}
