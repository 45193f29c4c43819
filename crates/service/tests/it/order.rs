//! In which order a request is held to what, seen from outside: of two reasons to refuse, the outer one is told.

use crate::raw::{exchange, statuses};
use crate::world::{World, code, problem};
use reqwest::Response;
use serde_json::Value;
use service::access::{Routes, Rule};
use service::extract::Json;
use service::limit::{LimitConfig, Number, RateClass, RateLimits};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;

const OPEN: Rule = Rule::public(RateClass::Unlimited);
const PAGE: &str = "https://app.example.org";
const STRANGER: &str = "https://stranger.example.org";

async fn served() -> &'static str {
    "served"
}

async fn explode() -> &'static str {
    panic!("canary")
}

async fn hang() -> &'static str {
    std::future::pending().await
}

async fn take(Json(_): Json<Value, 1_000>) -> &'static str {
    "taken"
}

fn routes() -> Routes {
    Routes::new()
        .get("/open", OPEN, served, |op| op)
        .get("/explode", OPEN, explode, |op| op)
        .get("/hang", OPEN, hang, |op| op)
        .post("/take", OPEN, take, |op| op)
        .post("/write", Rule::user(RateClass::Registration), take, |op| op)
}

async fn world(routes: Routes, places: u32) -> World {
    World::start_with(routes, Routes::new(), vec![], |setup| {
        setup.http.allowed_origins = vec![PAGE.to_owned()];
        setup.http.max_in_flight = places;
        setup.http.request_timeout_ms = 1_500;
        setup.limits = RateLimits {
            registration: LimitConfig {
                limit: Some(Number::clamped(4)),
                ..LimitConfig::default()
            },
            ..RateLimits::default()
        };
    })
    .await
}

/// Every answer has an id, and a page that may call can read it, whatever it is.
fn readable(response: &Response) {
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], PAGE);
    assert_eq!(headers["access-control-allow-credentials"], "true");
    let exposed = headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("Retry-After") && exposed.contains("X-Request-ID"));
    assert!(headers["x-request-id"].len() >= 8);
}

#[tokio::test]
async fn whatever_stops_a_request_its_answer_has_an_id_and_can_be_read_by_the_page() {
    let world = world(routes(), 100).await;
    for (request, code) in [
        (world.get("/explode"), "internal"),
        (world.get("/hang"), "request.timeout"),
        (world.get("/nowhere"), "not_found"),
        (world.post("/open"), "request.method_not_allowed"),
        (world.post("/write"), "auth.token_missing"),
        (
            world.post("/take").json(&"x".repeat(2_000)),
            "request.too_large",
        ),
    ] {
        let response = request.header("origin", PAGE).send().await.unwrap();
        readable(&response);
        assert_eq!(problem(response).await.code.as_str(), code);
    }
}

/// An application with one place, which is taken until the notification.
async fn full() -> (
    World,
    Arc<Notify>,
    tokio::task::JoinHandle<reqwest::Result<Response>>,
) {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (begun.clone(), go.clone());
    let slow = move || {
        let (told, wait) = (told.clone(), wait.clone());
        async move {
            told.notify_one();
            wait.notified().await;
            "finished"
        }
    };
    let world = world(routes().get("/slow", OPEN, slow, |op| op), 1).await;
    let taken = tokio::spawn(world.get("/slow").send());
    begun.notified().await;
    (world, go, taken)
}

#[tokio::test]
async fn a_full_service_sheds_before_it_looks_at_anything_and_still_says_that_it_is_alive() {
    let (world, go, taken) = full().await;
    for request in [
        world.get("/open"),
        world.get("/open").header("origin", STRANGER),
        world.get("/nowhere"),
        world.post("/write"),
        world
            .http
            .request(reqwest::Method::OPTIONS, world.url("/open"))
            .header("origin", PAGE)
            .header("access-control-request-method", "GET"),
    ] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.headers()["retry-after"], "1");
        let body = problem(refused).await;
        assert_eq!(body.code.as_str(), "request.overloaded");
        assert!(body.retryable);
    }
    let shed = world
        .get("/open")
        .header("origin", PAGE)
        .send()
        .await
        .unwrap();
    readable(&shed);
    for path in ["/health", "/ready", "/api/v1/health"] {
        assert_eq!(
            world.get(path).send().await.unwrap().status(),
            200,
            "{path}"
        );
    }
    go.notify_one();
    assert_eq!(
        taken.await.unwrap().unwrap().text().await.unwrap(),
        "finished"
    );
    assert_eq!(world.get("/open").send().await.unwrap().status(), 200);
    assert!(world.metrics().await.contains("http_requests_shed_total"));
}

#[tokio::test]
async fn a_request_that_panicked_ran_out_of_time_or_was_given_up_leaves_its_place() {
    let world = world(routes(), 1).await;
    assert_eq!(code(world.get("/explode")).await, "internal");
    assert_eq!(code(world.get("/hang")).await, "request.timeout");
    let given_up = world
        .get("/hang")
        .timeout(Duration::from_millis(100))
        .send()
        .await;
    assert!(given_up.is_err());
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while world.get("/open").send().await.unwrap().status() != 200 {
        assert!(tokio::time::Instant::now() < until, "the place stays taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_body_that_is_waited_for_takes_no_place() {
    let world = world(routes(), 1).await;
    let mut slow = TcpStream::connect(world.running.public).await.unwrap();
    let head = "POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n\"";
    slow.write_all(head.as_bytes()).await.unwrap();
    // It may be looked at for a moment, but not for as long as it may take.
    for _ in 0..3 {
        let until = tokio::time::Instant::now() + Duration::from_secs(1);
        while world.get("/open").send().await.unwrap().status() != 200 {
            assert!(
                tokio::time::Instant::now() < until,
                "kept out by a slow body"
            );
        }
    }
}

#[tokio::test]
async fn a_page_that_may_not_call_is_refused_before_anybody_asks_who_calls() {
    let world = world(routes(), 100).await;
    for origin in [
        STRANGER,
        "null",
        "https://app.example.org.evil.example",
        "",
        "HTTPS://APP.EXAMPLE.ORG",
    ] {
        let refused = world
            .post("/write")
            .header("origin", origin)
            .send()
            .await
            .unwrap();
        assert!(
            !refused
                .headers()
                .contains_key("access-control-allow-origin")
        );
        assert!(!refused.headers().contains_key("ratelimit-limit"));
        assert_eq!(refused.headers()["vary"], "Origin");
        assert_eq!(
            problem(refused).await.code.as_str(),
            "request.origin_refused",
            "{origin}"
        );
    }
    let two = world
        .get("/open")
        .header("origin", PAGE)
        .header("origin", STRANGER);
    assert_eq!(code(two).await, "request.origin_refused");
    let bytes = format!(
        "GET /open HTTP/1.1\r\nHost: x\r\nHost: y\r\nOrigin: {STRANGER}\r\nConnection: close\r\n\r\n"
    );
    let answer = exchange(world.running.public, bytes.as_bytes()).await;
    assert_eq!(statuses(&answer), [400], "{answer}");
}

#[tokio::test]
async fn who_calls_is_asked_before_how_often_and_both_before_the_body_is_read() {
    let world = world(routes(), 100).await;
    let long = || world.post("/write").json(&"x".repeat(2_000));
    let token = world.token();
    for _ in 0..10 {
        let refused = long().bearer_auth("nonsense").send().await.unwrap();
        assert!(!refused.headers().contains_key("ratelimit-limit"));
        assert_eq!(problem(refused).await.code.as_str(), "auth.token_invalid");
    }
    // Nothing of that was counted.
    for left in [3, 2, 1, 0] {
        let refused = long().bearer_auth(&token).send().await.unwrap();
        assert_eq!(refused.headers()["ratelimit-remaining"], left.to_string());
        assert_eq!(problem(refused).await.code.as_str(), "request.too_large");
    }
    let refused = long()
        .bearer_auth(&token)
        .header("origin", PAGE)
        .send()
        .await
        .unwrap();
    readable(&refused);
    assert_eq!(refused.headers()["ratelimit-remaining"], "0");
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(problem(refused).await.code.as_str(), "rate.limited");
}
