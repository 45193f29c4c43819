//! Bodies, queries and paths that are not what the route takes.

use crate::world::{World, code, problem};
use contracts::Problem;
use domain::{DeviceId, WalletAddress};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::ApiError;
use service::access::{Routes, Rule};
use service::extract::{Json, Path, Query};
use service::limit::RateClass;

const OPEN: Rule = Rule::public(RateClass::Unlimited);

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Order {
    device_id: DeviceId,
    count: u32,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Part {
    name: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Wallet {
    wallet: WalletAddress,
}

async fn order(Json(order): Json<Order, 1_000>) -> Result<Json<Order>, ApiError> {
    Ok(Json(order))
}

async fn page(Query(page): Query<Page>) -> Json<Page> {
    Json(page)
}

async fn wallet(Path(path): Path<Wallet>) -> Json<Wallet> {
    Json(path)
}

async fn world() -> World {
    let routes = Routes::new()
        .post("/orders", OPEN, order, |op| op)
        .get("/pages", OPEN, page, |op| op)
        .get("/wallets/{wallet}", OPEN, wallet, |op| op);
    World::start(routes, Routes::new()).await
}

async fn send(world: &World, body: impl Into<reqwest::Body>) -> Problem {
    let request = world
        .post("/orders")
        .header("content-type", "application/json")
        .body(body);
    problem(request.send().await.unwrap()).await
}

const DEVICE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[tokio::test]
async fn a_good_body_is_taken() {
    let world = world().await;
    let body = format!(r#"{{"deviceId":"{DEVICE}","count":1,"parts":[{{"name":"x"}}]}}"#);
    for kind in ["application/json", "Application/JSON; charset=UTF-8"] {
        let request = world
            .post("/orders")
            .header("content-type", kind)
            .body(body.clone());
        assert_eq!(request.send().await.unwrap().status(), 200, "{kind}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_malformed_and_one_of_another_kind_unsupported() {
    let world = world().await;
    for bad in [
        "",
        "{",
        "{}{}",
        "nonsense",
        r#"{"count":1,"count":2}"#,
        "\u{feff}{}",
    ] {
        assert_eq!(
            send(&world, bad).await.code.as_str(),
            "request.malformed",
            "{bad}"
        );
    }
    assert_eq!(
        send(&world, vec![b'"', 0xff, b'"']).await.code.as_str(),
        "request.malformed"
    );
    for kind in [
        "text/plain",
        "application/json; charset=latin1",
        "application/x-www-form-urlencoded",
    ] {
        let request = world
            .post("/orders")
            .header("content-type", kind)
            .body("{}");
        assert_eq!(code(request).await, "request.unsupported_media", "{kind}");
    }
    assert_eq!(
        code(world.post("/orders").body("{}")).await,
        "request.unsupported_media"
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_or_not_it_says_its_length() {
    let world = world().await;
    for size in [1_001, 20_000, 500_000] {
        assert_eq!(
            send(&world, vec![b' '; size]).await.code.as_str(),
            "request.too_large"
        );
    }
    let address = world.running.public;
    let answer = tokio::task::spawn_blocking(move || chunked(address))
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// Sends a long body without saying how long.
fn chunked(address: std::net::SocketAddr) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = "POST /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..20 {
        stream
            .write_all(format!("200\r\n{}\r\n", " ".repeat(0x200)).as_bytes())
            .unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn a_wrong_field_is_pointed_at_and_its_value_is_not_repeated() {
    let world = world().await;
    let cases = [
        (r#"{"count":1}"#.to_owned(), "/deviceId", "is required"),
        (
            r#"{"deviceId":"CANARY","count":1}"#.to_owned(),
            "/deviceId",
            "64 lower-case hex",
        ),
        (
            format!(r#"{{"deviceId":"{DEVICE}","count":"CANARY"}}"#),
            "/count",
            "expected u32",
        ),
        (
            format!(r#"{{"deviceId":"{DEVICE}","count":-1}}"#),
            "/count",
            "expected u32",
        ),
        (
            format!(r#"{{"deviceId":"{DEVICE}","count":1.5}}"#),
            "/count",
            "expected u32",
        ),
        (
            format!(r#"{{"deviceId":"{DEVICE}","count":1,"CANARY":2}}"#),
            "",
            "`deviceId`, `count`, `parts`",
        ),
        (
            format!(r#"{{"deviceId":"{DEVICE}","count":1,"CANARY`, expected one of `x":2}}"#),
            "",
            "`deviceId`, `count`, `parts`",
        ),
        (
            format!(
                r#"{{"deviceId":"{DEVICE}","count":1,"parts":[{{"name":"a"}},{{"name":["CANARY"]}}]}}"#
            ),
            "/parts/1/name",
            "expected a string",
        ),
        (
            format!(r#"{{"deviceId":"{DEVICE}","count":1,"parts":[{{"CANARY":"a"}}]}}"#),
            "/parts/0",
            "`name`",
        ),
        ("[]".to_owned(), "", "expected"),
        (
            "\"CANARY, expected CANARY\"".to_owned(),
            "",
            "expected struct Order",
        ),
    ];
    for (body, pointer, says) in cases {
        let problem = send(&world, body.clone()).await;
        assert_eq!(problem.code.as_str(), "validation.failed", "{body}");
        assert_eq!(problem.errors[0].pointer, pointer, "{body}");
        assert!(
            problem.errors[0].message.contains(says),
            "{body}: {:?}",
            problem.errors
        );
        let text = serde_json::to_string(&problem).unwrap();
        assert!(!text.contains("CANARY"), "{body}: {text}");
        assert!(!text.contains(" line "), "{body}: {text}");
    }
}

#[tokio::test]
async fn a_body_that_names_its_caller_is_told_where_identity_comes_from() {
    let world = world().await;
    for name in ["userId", "influencerId", "wallet", "walletAddress"] {
        let body = format!(r#"{{"deviceId":"{DEVICE}","count":1,"{name}":"someone"}}"#);
        assert_eq!(
            send(&world, body).await.code.as_str(),
            "request.identity_in_body",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_wrong_query_or_path_is_pointed_at_too() {
    let world = world().await;
    assert_eq!(
        world.get("/pages?limit=5").send().await.unwrap().status(),
        200
    );
    for (query, pointer) in [
        ("limit=CANARY", "/limit"),
        ("limit=-1", "/limit"),
        ("CANARY=1", ""),
        ("limit=1&limit=2", ""),
    ] {
        let problem = problem(world.get(&format!("/pages?{query}")).send().await.unwrap()).await;
        assert_eq!(problem.code.as_str(), "validation.failed", "{query}");
        assert_eq!(
            problem.errors[0].pointer, pointer,
            "{query}: {:?}",
            problem.errors
        );
        assert!(
            !format!("{:?}", problem.errors).contains("CANARY"),
            "{query}"
        );
    }
    let good = WalletAddress::from_bytes([3; 32]);
    assert_eq!(
        world
            .get(&format!("/wallets/{good}"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let problem = problem(world.get("/wallets/0OIl").send().await.unwrap()).await;
    assert_eq!(problem.code.as_str(), "validation.failed");
    assert_eq!(problem.errors[0].pointer, "/wallet");
    assert!(
        problem.errors[0].message.contains("base58 of 32 bytes"),
        "{:?}",
        problem.errors
    );
}
