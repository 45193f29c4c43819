//! Bytes that two servers could read as two different requests.

use crate::raw::{exchange, statuses};
use crate::world::World;
use axum::body::Bytes;
use service::access::{Routes, Rule};
use service::extract::read_limited;
use service::limit::RateClass;
use std::sync::{Arc, Mutex};

const OPEN: Rule = Rule::public(RateClass::Unlimited);

/// What handlers were called with.
type Seen = Arc<Mutex<Vec<String>>>;

fn routes(seen: &Seen) -> Routes {
    let (first, second) = (seen.clone(), seen.clone());
    Routes::new()
        .post(
            "/first",
            OPEN,
            async move |headers: http::HeaderMap, body: axum::body::Body| {
                let body: Bytes = read_limited(&headers, body, 1_000).await?;
                let text = String::from_utf8_lossy(&body).into_owned();
                first.lock().unwrap().push(format!("first {text}"));
                Ok::<_, service::ApiError>("first")
            },
            |op| op,
        )
        .get(
            "/second",
            OPEN,
            async move || {
                second.lock().unwrap().push("second".to_owned());
                "second"
            },
            |op| op,
        )
}

async fn world(seen: &Seen) -> World {
    World::start_with(routes(seen), Routes::new(), vec![], |setup| {
        setup.http.header_timeout_ms = 1_000;
    })
    .await
}

const HIDDEN: &str = "GET /second HTTP/1.1\r\nHost: x\r\n\r\n";

/// `POST /first` with `headers`, then `rest`.
fn post(headers: &str, rest: &str) -> Vec<u8> {
    format!("POST /first HTTP/1.1\r\nHost: x\r\n{headers}\r\n{rest}").into_bytes()
}

#[tokio::test]
async fn no_form_of_two_lengths_smuggles_a_second_request() {
    let seen = Seen::default();
    let world = world(&seen).await;
    let chunked = format!("0\r\n\r\n{HIDDEN}");
    let forms = [
        (
            "CL+TE",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        ),
        (
            "TE+CL",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        ),
        ("TE alone", "Transfer-Encoding: chunked\r\n"),
        (
            "TE twice",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ),
        ("TE twice in one", "Transfer-Encoding: chunked, chunked\r\n"),
        ("TE not last", "Transfer-Encoding: chunked, identity\r\n"),
        ("TE unknown", "Transfer-Encoding: xchunked\r\n"),
        ("TE with a tab", "Transfer-Encoding:\tchunked\r\n"),
        ("TE with a form feed", "Transfer-Encoding: \x0cchunked\r\n"),
        ("TE space before colon", "Transfer-Encoding : chunked\r\n"),
        ("TE folded", "Transfer-Encoding:\r\n chunked\r\n"),
        ("CL unequal", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("CL list", "Content-Length: 5, 5\r\n"),
        ("CL unequal list", "Content-Length: 5, 6\r\n"),
        ("CL signed", "Content-Length: +5\r\n"),
        ("CL negative", "Content-Length: -5\r\n"),
        ("CL hexadecimal", "Content-Length: 0x5\r\n"),
        ("CL empty", "Content-Length:\r\n"),
        ("CL huge", "Content-Length: 99999999999999999999999\r\n"),
        ("CL space before colon", "Content-Length : 5\r\n"),
        ("CL folded", "Content-Length:\r\n 5\r\n"),
        ("NUL", "X-A: a\0b\r\nContent-Length: 5\r\n"),
        ("bare CR", "X-A: a\rContent-Length: 5\r\n"),
        ("no name", ": a\r\nContent-Length: 5\r\n"),
        ("no colon", "nonsense\r\nContent-Length: 5\r\n"),
        ("two hosts", "Host: y\r\nContent-Length: 38\r\n"),
    ];
    for (name, headers) in forms {
        let answer = exchange(world.running.public, &post(headers, &chunked)).await;
        let statuses = statuses(&answer);
        assert!(statuses.len() <= 1, "{name}: {answer}");
        let calls = std::mem::take(&mut *seen.lock().unwrap());
        assert!(!calls.contains(&"second".to_owned()), "{name}: {calls:?}");
        if calls.is_empty() {
            assert_eq!(statuses, [400], "{name}: {answer}");
        } else {
            assert_eq!((statuses, calls.len()), (vec![200], 1), "{name}: {answer}");
        }
    }
    // Equal lengths are one length.
    let length = HIDDEN.len();
    let twice = post(
        &format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"),
        HIDDEN,
    );
    let answer = exchange(world.running.public, &twice).await;
    assert!(matches!(statuses(&answer)[..], [200 | 400]), "{answer}");
    assert!(!seen.lock().unwrap().contains(&"second".to_owned()));
}

#[tokio::test]
async fn no_chunk_that_is_none_is_taken_for_one() {
    let seen = Seen::default();
    let world = world(&seen).await;
    for body in [
        "x\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nabc",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\nabc\n0\n\n",
        "3 3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "\r\n\r\n",
    ] {
        let answer = exchange(
            world.running.public,
            &post("Transfer-Encoding: chunked\r\n", &format!("{body}{HIDDEN}")),
        )
        .await;
        let calls = std::mem::take(&mut *seen.lock().unwrap());
        assert!(calls.is_empty(), "{body:?}: {calls:?}");
        assert!(
            statuses(&answer).iter().all(|status| *status == 400),
            "{body:?}: {answer}"
        );
        assert!(statuses(&answer).len() <= 1, "{body:?}: {answer}");
    }
    // An extension means nothing; a long one is refused.
    let extended = post(
        "Transfer-Encoding: chunked\r\n",
        "3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n",
    );
    let answer = exchange(world.running.public, &extended).await;
    assert_eq!(statuses(&answer), [200], "{answer}");
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), ["first abc"]);
    let long = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(100_000));
    let answer = exchange(
        world.running.public,
        &post("Transfer-Encoding: chunked\r\n", &long),
    )
    .await;
    assert!(!answer.contains(" 200 "), "{answer}");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_first_line_that_is_none_is_refused() {
    let seen = Seen::default();
    let world = world(&seen).await;
    for line in [
        "GET /second",
        "GET /second HTTP/0.9",
        "GET /second HTTP/1.10",
        "GET /second HTTP/9.9",
        "GET /second HTTP/2.0",
        "GET /second HTTP/11",
        "GET /second http/1.1",
        "GET /second HTTP/1.1x",
        "GET  /second  HTTP/1.1",
        "GET\t/second\tHTTP/1.1",
        "GET /sec ond HTTP/1.1",
        " GET /second HTTP/1.1",
        "GET /second\0 HTTP/1.1",
        "G\u{e4}T /second HTTP/1.1",
        "/second",
        "PRI * HTTP/2.0",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        let bytes = format!("{line}\r\nHost: x\r\n\r\n");
        let answer = exchange(world.running.public, bytes.as_bytes()).await;
        assert!(seen.lock().unwrap().is_empty(), "{line:?} was served");
        assert!(
            statuses(&answer).iter().all(|status| *status == 400),
            "{line:?}: {answer}"
        );
    }
    let nameless = exchange(world.running.public, b"GET /second HTTP/1.1\r\n\r\n").await;
    assert_eq!(statuses(&nameless), [400], "{nameless}");
    assert!(seen.lock().unwrap().is_empty());
    // Lines may end in LF alone: that is one request for everybody.
    let answer = exchange(world.running.public, b"GET /second HTTP/1.1\nHost: x\n\n").await;
    assert!(matches!(statuses(&answer)[..], [200 | 400]), "{answer}");
    assert!(seen.lock().unwrap().len() <= 1);
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let seen = Seen::default();
    let world = world(&seen).await;
    let many = "X-A: b\r\n".repeat(1_000);
    let long = format!("X-A: {}\r\n", "b".repeat(100_000));
    for headers in [many, long] {
        let bytes = format!("GET /second HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = exchange(world.running.public, bytes.as_bytes()).await;
        assert!(
            statuses(&answer).iter().all(|status| *status == 431),
            "{answer}"
        );
    }
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000));
    let answer = exchange(world.running.public, path.as_bytes()).await;
    assert!(
        statuses(&answer)
            .iter()
            .all(|status| matches!(status, 414 | 431)),
        "{answer}"
    );
    assert!(seen.lock().unwrap().is_empty());
}
