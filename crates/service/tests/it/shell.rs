//! What surrounds every request.

use crate::world::{World, code, problem};
use axum::response::{IntoResponse, Response};
use contracts::Code;
use service::ApiError;
use service::access::{Routes, Rule};
use service::health::ReadyCheck;
use service::limit::RateClass;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

const OPEN: Rule = Rule::public(RateClass::Unlimited);

async fn plain() -> String {
    "ok".to_owned()
}

async fn explode() -> String {
    panic!("canary-of-the-panic")
}

async fn hang() -> String {
    std::future::pending().await
}

async fn plain_error(body: axum::body::Bytes) -> String {
    format!("{}", body.len())
}

struct Busy;

impl IntoResponse for Busy {
    fn into_response(self) -> Response {
        ApiError::of(Code::RateLimited)
            .with_retry_after(Duration::from_millis(1_200))
            .into_response()
    }
}

impl aide::OperationOutput for Busy {
    type Inner = ();
}

async fn busy() -> Busy {
    Busy
}

fn routes() -> Routes {
    Routes::new()
        .get("/plain/{id}", OPEN, plain, |op| op)
        .get("/explode", OPEN, explode, |op| op)
        .get("/hang", OPEN, hang, |op| op)
        .get("/busy", OPEN, busy, |op| op)
        .post("/bytes", OPEN, plain_error, |op| op)
}

#[tokio::test]
async fn whatever_goes_wrong_leaves_as_a_problem_with_a_request_id() {
    let world = World::start(routes(), Routes::new()).await;
    assert_eq!(code(world.get("/nowhere")).await, "not_found");
    assert_eq!(code(world.get("/api/v1/nowhere")).await, "not_found");
    assert_eq!(code(world.get("/explode")).await, "internal");
    assert_eq!(code(world.get("/hang")).await, "request.timeout");
    assert_eq!(
        code(world.post("/bytes").body(vec![0; 300 * 1024])).await,
        "request.too_large"
    );

    let wrong_method = world.post("/plain/1").send().await.unwrap();
    assert_eq!(wrong_method.headers()["allow"], "GET,HEAD");
    assert_eq!(
        problem(wrong_method).await.code,
        Code::RequestMethodNotAllowed
    );

    let busy = world.get("/busy").send().await.unwrap();
    assert_eq!(busy.headers()["retry-after"], "2");
    let busy = problem(busy).await;
    assert_eq!(busy.retry_after_ms, Some(1_200));
    assert!(busy.retryable);
    assert_eq!(busy.instance.as_deref(), Some("/busy"));
}

#[tokio::test]
async fn a_panic_stops_one_request_and_shows_nothing_of_itself() {
    let world = World::start(routes(), Routes::new()).await;
    let text = world
        .get("/explode")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(world.get("/plain/1").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_id_is_kept_if_it_is_one_and_replaced_if_not() {
    let world = World::start(routes(), Routes::new()).await;
    let id_for = async |sent: &str| {
        let response = world
            .get("/plain/1")
            .header("x-request-id", sent)
            .send()
            .await
            .unwrap();
        response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(id_for("abc_DEF-123").await, "abc_DEF-123");
    for bad in ["short", "with space 1", "semi;colon-1", &"x".repeat(65)] {
        assert_eq!(id_for(bad).await.len(), 36, "{bad}");
    }
}

#[tokio::test]
async fn public_routes_answer_under_the_alias_too_and_internal_ones_do_not() {
    let internal = Routes::new().get("/internal/v1/secret", OPEN, plain, |op| op);
    let world = World::start(routes(), internal).await;
    for path in [
        "/plain/1",
        "/api/v1/plain/1",
        "/api/v1/health",
        "/internal/v1/secret",
    ] {
        assert_eq!(
            world.get(path).send().await.unwrap().status(),
            200,
            "{path}"
        );
    }
    assert_eq!(
        code(world.get("/api/v1/internal/v1/secret")).await,
        "not_found"
    );
    let document: serde_json::Value = world
        .get("/openapi.json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(
        document["paths"]["/plain/{id}"]["get"].is_object(),
        "{document}"
    );
    assert!(document["components"]["securitySchemes"]["bearer"].is_object());
}

#[tokio::test]
async fn a_path_that_a_client_makes_up_is_no_metric_label() {
    let world = World::start(routes(), Routes::new()).await;
    world.get("/plain/canary-in-path").send().await.unwrap();
    world.get("/canary-nowhere").send().await.unwrap();
    let method = reqwest::Method::from_bytes(b"CANARYMETHOD").unwrap();
    world
        .http
        .request(method, world.url("/plain/1"))
        .send()
        .await
        .unwrap();
    let metrics = world.metrics().await;
    assert!(!metrics.to_lowercase().contains("canary"), "{metrics}");
    for part in [
        "http_request_duration_seconds_bucket",
        r#"route="/plain/{id}""#,
        r#"route="unmatched""#,
        r#"method="OTHER""#,
    ] {
        assert!(metrics.contains(part), "{part} is missing:\n{metrics}");
    }
}

#[tokio::test]
async fn readiness_follows_its_checks_and_says_why_only_to_operators() {
    let up = Arc::new(AtomicBool::new(false));
    let seen = up.clone();
    let check = ReadyCheck::new("thing", move || {
        let up = seen.load(Ordering::Relaxed);
        async move {
            if up {
                Ok(())
            } else {
                Err("canary-reason".to_owned())
            }
        }
    });
    let world = World::start_with(routes(), Routes::new(), vec![check], |_| {}).await;
    let response = world.get("/ready").send().await.unwrap();
    assert_eq!(response.status(), 503);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["status"], "not ready");
    assert_eq!(body["checks"][0]["name"], "thing");
    assert!(!body.to_string().contains("canary"));
    let ops = format!("http://{}/ready", world.running.ops);
    let detail = world.http.get(&ops).send().await.unwrap();
    assert_eq!(detail.status(), 503);
    assert!(detail.text().await.unwrap().contains("canary-reason"));
    assert_eq!(world.get("/health").send().await.unwrap().status(), 200);

    up.store(true, Ordering::Relaxed);
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while world.get("/ready").send().await.unwrap().status() != 200 {
        assert!(tokio::time::Instant::now() < until, "never ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_stop_finishes_the_requests_in_flight() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (begun.clone(), go.clone());
    let slow = move || {
        let (told, wait) = (told.clone(), wait.clone());
        async move {
            told.notify_one();
            wait.notified().await;
            "finished".to_owned()
        }
    };
    let world = World::start(
        Routes::new().get("/slow", OPEN, slow, |op| op),
        Routes::new(),
    )
    .await;
    let address = world.running.public;
    let request = tokio::spawn(world.get("/slow").send());
    begun.notified().await;
    let stopping = tokio::spawn(world.running.stop());
    // The listener is closed before the request is let go.
    let until = tokio::time::Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(address).await.is_ok() {
        assert!(tokio::time::Instant::now() < until, "still listening");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    go.notify_one();
    assert_eq!(
        request.await.unwrap().unwrap().text().await.unwrap(),
        "finished"
    );
    stopping.await.unwrap();
}

#[tokio::test]
async fn a_client_that_never_finishes_its_head_is_cut_off() {
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.http.header_timeout_ms = 200;
        setup.http.max_connections = 1;
    })
    .await;
    let mut slow = TcpStream::connect(world.running.public).await.unwrap();
    slow.write_all(b"GET /plain/1 HTTP/1.1\r\nHost: x\r\n")
        .await
        .unwrap();
    // The one place is taken; this waits for the slow one to be cut off, not for ever.
    let answered =
        tokio::time::timeout(Duration::from_secs(10), world.get("/plain/1").send()).await;
    assert_eq!(answered.unwrap().unwrap().status(), 200);
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
}
