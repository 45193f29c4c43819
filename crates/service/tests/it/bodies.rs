//! Bodies that are too long, or longer than they look.

use crate::raw::{exchange, statuses};
use crate::world::{World, code};
use service::access::{Routes, Rule};
use service::extract::{Json, Path, Query};
use service::limit::RateClass;
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const OPEN: Rule = Rule::public(RateClass::Unlimited);

async fn take(Json(value): Json<serde_json::Value, 1_000>) -> String {
    value.to_string()
}

async fn named(Path(path): Path<BTreeMap<String, String>>) -> String {
    format!("{path:?}")
}

async fn asked(Query(query): Query<BTreeMap<String, String>>) -> String {
    format!("{query:?}")
}

async fn world() -> World {
    let routes = Routes::new()
        .post("/take", OPEN, take, |op| op)
        .get("/things/{name}", OPEN, named, |op| op)
        .get("/ask", OPEN, asked, |op| op);
    World::start(routes, Routes::new()).await
}

const HEAD: &str =
    "POST /take HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n";

/// `{"a":"xxx…"}` of `length` bytes.
fn body(length: usize) -> String {
    format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8))
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_its_length() {
    let world = world().await;
    for (length, status) in [(1_000, 200), (1_001, 413), (900_000, 413), (3_000_000, 413)] {
        let sized = format!("{HEAD}Content-Length: {length}\r\n\r\n{}", body(length));
        let chunked = format!(
            "{HEAD}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{}\r\n0\r\n\r\n",
            body(length)
        );
        for bytes in [sized, chunked] {
            let answer = exchange(world.running.public, bytes.as_bytes()).await;
            let found = statuses(&answer);
            // One who goes on sending far over the limit may see the end before the answer.
            let cut = length > 2_000_000 && found.is_empty();
            assert!(cut || found == [status], "{length}: {answer}");
        }
    }
    // Of one who only says so, not a byte is waited for.
    let boast = format!("{HEAD}Content-Length: 99999999999\r\n\r\n");
    let answer = exchange(world.running.public, boast.as_bytes()).await;
    assert_eq!(statuses(&answer), [413], "{answer}");
}

#[tokio::test]
async fn a_compressed_body_is_refused_and_not_inflated() {
    let world = world().await;
    for encoding in ["gzip", "GZIP", "br", "deflate", "identity, gzip", "zstd"] {
        let request = world
            .post("/take")
            .header("content-type", "application/json")
            .header("content-encoding", encoding)
            .body(vec![0x1f, 0x8b, 8, 0, 0, 0]);
        assert_eq!(
            code(request).await,
            "request.unsupported_media",
            "{encoding}"
        );
    }
    let plain = world
        .post("/take")
        .header("content-encoding", "identity")
        .json(&1);
    assert_eq!(plain.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_body() {
    let world = world().await;
    let mut stream = tokio::net::TcpStream::connect(world.running.public)
        .await
        .unwrap();
    let bytes = format!("{HEAD}Content-Length: 100\r\n\r\n{{}}");
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        statuses(&answer).iter().all(|status| *status == 400),
        "{answer}"
    );
}

#[tokio::test]
async fn a_character_that_no_database_takes_is_refused_in_paths_and_queries() {
    let world = world().await;
    for path in [
        "/things/%00",
        "/things/a%00b",
        "/things/a%0Ab",
        "/ask?name=a%00b",
    ] {
        let answer = world.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
    }
    for path in ["/things/a%20b", "/ask?name=a%0Ab"] {
        assert_eq!(
            world.get(path).send().await.unwrap().status(),
            200,
            "{path}"
        );
    }
}
