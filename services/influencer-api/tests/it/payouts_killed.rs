//! The real program, killed at each fail point of what people do with payouts, started again, and asked the same again
//! with the same key: money moved once.

use crate::payee::Payee;
use crate::pool::{TWIST, good};
use crate::support::{Api, ISSUER, User, issuer};
use failpoint::Point;
use reqwest::Response;
use serde_json::{Value, json};
use testkit::program::{self, Program};
use uuid::Uuid;

/// What arrives of 40 TWIST.
const NET: u64 = 35_900_000_000;

/// The program, on the stores of the test.
async fn start(api: &Api, dies_at: Option<Point>) -> Program {
    let (database_url, redis_url) = api.stores();
    let mut command = program::command(env!("CARGO_BIN_EXE_influencer-api"));
    command.envs([
        ("TWIST_API__LISTEN", "127.0.0.1:0"),
        ("TWIST_API__OPS_LISTEN", "127.0.0.1:0"),
        ("TWIST_API__DATABASE__URL", &database_url),
        ("TWIST_API__REDIS__URL", &redis_url),
        ("TWIST_API__TOKEN__ISSUER", ISSUER),
        ("TWIST_API__TOKEN__JWKS_URL", &issuer().await),
        ("TWIST_API__INGEST__KEYS__EDGE1", "a-secret-of-the-tests"),
    ]);
    if let Some(point) = dies_at {
        command.env(failpoint::VARIABLE, point.as_str());
    }
    Program::start(command)
}

/// Something to be asked twice.
struct Ask<'a> {
    who: &'a User,
    path: String,
    body: Value,
    key: String,
}

impl Ask<'_> {
    async fn send(&self, api: &Api, url: &str) -> Result<Response, reqwest::Error> {
        let request = api.http.post(format!("{url}{}", self.path));
        let request = request.bearer_auth(&self.who.token).json(&self.body);
        request.header("idempotency-key", &self.key).send().await
    }

    /// Asks a program that dies at `point`, sees that the books are sound, and asks another until it answers.
    async fn killed_at(&self, api: &Api, point: Point, status: u16) -> Value {
        let program = start(api, Some(point)).await;
        let (url, _) = program.ready().await;
        assert!(self.send(api, &url).await.is_err(), "it was answered");
        program.died().await;
        api.assert_sound().await;
        let program = start(api, None).await;
        let (url, _) = program.ready().await;
        loop {
            let answer = self.send(api, &url).await.unwrap();
            // The database may not have noticed yet that the first is gone.
            if answer.status() == 409 && answer.headers().contains_key("retry-after") {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
            let body = good(answer, status).await;
            program.stop();
            return body;
        }
    }
}

fn ask<'a>(who: &'a User, path: &str, body: Value) -> Ask<'a> {
    Ask {
        who,
        path: path.to_owned(),
        body,
        key: Uuid::new_v4().to_string(),
    }
}

fn about<'a>(who: &'a User, payout: &Value, what: &str) -> Ask<'a> {
    let path = format!("/payouts/{}/{what}", payout["id"].as_str().unwrap());
    ask(who, &path, json!({ "reason": "looked into" }))
}

/// What the payee has in the end.
async fn assert_has(api: &Api, payee: &Payee, payable: [u64; 3], paid: u64) {
    assert_eq!(api.payable(payee).await, payable);
    assert_eq!(api.balance(&payee.user).await, paid);
    assert_eq!(api.count("payouts").await, 1);
    api.assert_sound().await;
}

async fn a_request(point: Point) {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let body = json!({ "amount": (40 * TWIST).to_string(), "method": "ledger" });
    let ask = ask(&payee.user, "/payouts/request", body);
    let made = ask.killed_at(&api, point, 201).await;
    assert_eq!(made["state"], "approved");
    assert_has(&api, &payee, [0, 40 * TWIST, 0], 0).await;
    assert_eq!(api.sweep().await, 1);
    assert_has(&api, &payee, [0, 0, 0], NET).await;
}

async fn a_cancellation(point: Point) {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let payout = api.asked(&payee, 40 * TWIST).await;
    let ask = about(&payee.user, &payout, "cancel");
    let off = ask.killed_at(&api, point, 200).await;
    assert_eq!(off["state"], "cancelled");
    assert_eq!(api.sweep().await, 0);
    assert_has(&api, &payee, [40 * TWIST, 0, 0], 0).await;
}

async fn a_rejection(point: Point) {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let operator = api.with("operator").await;
    let payout = api.asked(&payee, 40 * TWIST).await;
    let ask = about(&operator, &payout, "reject");
    let down = ask.killed_at(&api, point, 200).await;
    assert_eq!(down["state"], "rejected");
    assert_has(&api, &payee, [40 * TWIST, 0, 0], 0).await;
}

async fn an_approval(point: Point) {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let operator = api.with("operator").await;
    api.terms(json!({ "approvalLimit": "0" })).await;
    let payout = api.asked(&payee, 40 * TWIST).await;
    let ask = about(&operator, &payout, "approve");
    let approved = ask.killed_at(&api, point, 200).await;
    assert_eq!(approved["state"], "approved");
    assert_eq!(api.sweep().await, 1);
    assert_has(&api, &payee, [0, 0, 0], NET).await;
}

async fn a_payment(point: Point) {
    let api = Api::new().await;
    let payee = api.payee("ada", 40 * TWIST).await;
    let operator = api.with("operator").await;
    let payout = api.asked(&payee, 40 * TWIST).await;
    let ask = about(&operator, &payout, "process");
    let paid = ask.killed_at(&api, point, 200).await;
    assert_eq!(paid["status"], "completed");
    assert_eq!(api.sweep().await, 0);
    assert_has(&api, &payee, [0, 0, 0], NET).await;
}

/// A test for each way to die, and the list of the points.
macro_rules! killed {
    ($($name:ident: $scenario:ident at $point:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $scenario(Point::$point).await;
            }
        )*

        const KILLED_AT: &[Point] = &[$(Point::$point),*];
    };
}

killed! {
    a_request_killed_with_its_row_inserted: a_request at PayoutRequestInserted,
    a_request_killed_with_its_money_set_aside: a_request at PayoutRequestReserved,
    a_request_killed_with_its_approval_written: a_request at PayoutChanged,
    a_request_killed_with_its_approval_recorded: a_request at PayoutRecorded,
    a_request_killed_with_all_recorded: a_request at PayoutRequestRecorded,
    a_request_killed_before_the_commit: a_request at OnceBeforeCommit,
    a_request_killed_after_the_commit: a_request at OnceAfterCommit,
    a_cancellation_killed_with_the_money_given_back: a_cancellation at PayoutVoided,
    a_cancellation_killed_with_the_state_written: a_cancellation at PayoutChanged,
    a_cancellation_killed_after_the_commit: a_cancellation at OnceAfterCommit,
    a_rejection_killed_with_the_money_given_back: a_rejection at PayoutVoided,
    an_approval_killed_with_the_state_written: an_approval at PayoutChanged,
    an_approval_killed_with_all_recorded: an_approval at PayoutRecorded,
    an_approval_killed_after_the_commit: an_approval at OnceAfterCommit,
    a_payment_killed_with_the_payout_locked: a_payment at PayoutSettleLocked,
    a_payment_killed_with_the_reserve_booked: a_payment at PayoutSettlePosted,
    a_payment_killed_with_the_payee_paid: a_payment at PayoutSettlePaid,
    a_payment_killed_with_all_recorded: a_payment at PayoutRecorded,
    a_payment_killed_before_the_commit: a_payment at OnceBeforeCommit,
    a_payment_killed_after_the_commit: a_payment at OnceAfterCommit,
}

#[test]
fn every_point_that_a_route_comes_to_has_a_test() {
    let ours = |point: &&Point| {
        let name = point.as_str();
        name.starts_with("once.") || name.starts_with("payouts.")
    };
    // What only the jobs and the consumer of settlement-worker come to.
    let elsewhere = |point: &Point| {
        let name = point.as_str();
        ["payouts.auto.", "payouts.release.", "payouts.handled"]
            .iter()
            .any(|start| name.starts_with(start))
            || name.starts_with("payouts.settle.") && name.ends_with("_commit")
    };
    for point in Point::ALL.iter().filter(ours) {
        assert_ne!(
            KILLED_AT.contains(point),
            elsewhere(point),
            "{}",
            point.as_str()
        );
    }
}
