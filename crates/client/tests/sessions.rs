//! Renewal and retries, against a server that says whatever the test wants.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop on the spot"
)]

use client::{Client, Endpoints, ExposeSecret as _, Retry, Session};
use contracts::auth::TokenResponse;
use domain::WalletAddress;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const UNAVAILABLE: &str = "503 Service Unavailable";
/// The request is read, and the connection closed.
const DROPPED: &str = "";
/// The request is read, and nothing comes.
const SILENCE: &str = "silence";

/// Answers each request with what `answer` makes of it, and how many came before; keeps the requests.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: impl Fn(&str, usize) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (kept, answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut buffer = vec![0; 65_536];
                    let read = stream.read(&mut buffer).await.unwrap();
                    buffer.truncate(read);
                    let request = String::from_utf8(buffer).unwrap();
                    let before = {
                        let mut kept = kept.lock().unwrap();
                        kept.push(request.clone());
                        kept.len() - 1
                    };
                    let text = answer(&request, before);
                    if text == SILENCE {
                        std::future::pending::<()>().await;
                    }
                    stream.write_all(text.as_bytes()).await.unwrap();
                });
            }
        });
        Self { url, asked }
    }

    fn client(&self) -> Client {
        Client::new(Endpoints {
            auth: self.url.clone(),
            api: self.url.clone(),
            edge: self.url.clone(),
        })
        .unwrap()
    }

    fn asked(&self, start: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|one| one.starts_with(start)).count()
    }
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn refused(status: &str, code: &str, headers: &str) -> String {
    let number = status.split(' ').next().unwrap();
    let retryable = number == "503" || number == "429";
    let body = format!(
        r#"{{"type":"urn:twist:problem:{code}","title":"t","status":{number},"detail":"d","instance":"/x",
            "success":false,"error":"d","code":"{code}","requestId":"r-12345678","retryable":{retryable}}}"#
    );
    let headers = format!("content-type: application/problem+json\r\n{headers}");
    http(status, &headers, &body)
}

fn tokens(number: usize, expires_in: u64) -> TokenResponse {
    TokenResponse {
        token_type: "Bearer".to_owned(),
        access_token: format!("access-{number}"),
        expires_in,
        refresh_token: format!("refresh-{number}"),
        refresh_expires_in: 1_000,
    }
}

fn session(expires_in: u64) -> Session {
    Session::new(WalletAddress::from_bytes([1; 32]), tokens(0, expires_in))
}

fn devices() -> String {
    http(
        "200 OK",
        "content-type: application/json\r\n",
        r#"{"devices":[]}"#,
    )
}

fn json(tokens: &TokenResponse) -> String {
    let body = serde_json::to_string(tokens).unwrap();
    http("200 OK", "content-type: application/json\r\n", &body)
}

#[tokio::test]
async fn of_many_calls_with_a_token_that_has_ended_one_renews_it_for_all() {
    let server = Server::start(|request, _| {
        if request.starts_with("POST /auth/refresh") {
            json(&tokens(1, 900))
        } else {
            devices()
        }
    })
    .await;
    let (client, session) = (server.client(), session(0));
    let call = || client.devices(&session);
    let results = tokio::join!(call(), call(), call(), call());
    assert!(results.0.is_ok() && results.1.is_ok() && results.2.is_ok() && results.3.is_ok());
    assert_eq!(server.asked("POST /auth/refresh"), 1);
    assert_eq!(server.asked("GET /devices"), 4);
    assert_eq!(session.refresh_token().expose_secret(), "refresh-1");
    let asked = server.asked.lock().unwrap().join("\n");
    assert!(asked.contains("Bearer access-1") && !asked.contains("Bearer access-0"));
    assert!(asked.contains("\"refresh-0\""));
}

#[tokio::test]
async fn a_token_that_is_still_good_is_used_although_it_cannot_be_renewed_now() {
    let server = Server::start(|request, _| {
        if request.starts_with("POST /auth/refresh") {
            refused(UNAVAILABLE, "dependency.unavailable", "")
        } else {
            devices()
        }
    })
    .await;
    let (client, session) = (server.client(), session(1));
    tokio::time::sleep(Duration::from_millis(600)).await;
    client.devices(&session).await.unwrap();
    assert_eq!(server.asked("POST /auth/refresh"), 3);
    // Once it has ended there is nothing to use.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let error = client.devices(&session).await.unwrap_err();
    assert_eq!(error.code(), Some(contracts::Code::DependencyUnavailable));
}

/// Refreshes while the first answers are `first`; what that took.
async fn refreshed_after(first: &'static [&'static str]) -> Duration {
    let server = Server::start(move |_, before| match first.get(before) {
        Some(&UNAVAILABLE) => refused(UNAVAILABLE, "dependency.unavailable", "retry-after: 1\r\n"),
        Some(text) => (*text).to_owned(),
        None => json(&tokens(1, 900)),
    })
    .await;
    let session = session(0);
    let start = Instant::now();
    server.client().refresh(&session).await.unwrap();
    let took = start.elapsed();
    assert_eq!(session.refresh_token().expose_secret(), "refresh-1");
    let asked = server.asked.lock().unwrap();
    assert_eq!(asked.len(), first.len() + 1, "{first:?}");
    for request in asked.iter() {
        assert!(request.starts_with("POST /auth/refresh"), "{request}");
        assert!(request.contains("\"refresh-0\""), "{request}");
    }
    took
}

#[tokio::test]
async fn a_lost_reply_does_not_cost_the_session() {
    for first in [&[DROPPED] as &[_], &[DROPPED, DROPPED]] {
        assert!(refreshed_after(first).await < Duration::from_secs(3));
    }
    // As late as the platform asks, and no later.
    let took = refreshed_after(&[UNAVAILABLE, DROPPED]).await;
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(4));
    let gateway = "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let server = Server::start(move |_, before| match before {
        0 => gateway.to_owned(),
        _ => json(&tokens(1, 900)),
    })
    .await;
    server.client().refresh(&session(0)).await.unwrap();
}

#[tokio::test]
async fn a_reply_that_never_comes_is_given_up_while_the_old_token_still_works() {
    // Three times this, and all pauses, are less than the 30 s that the old token has.
    assert!(refreshed_after(&[SILENCE]).await < Duration::from_secs(8));
}

#[tokio::test]
async fn a_refresh_is_sent_three_times_at_most_and_once_when_it_is_refused() {
    for (status, code, headers, times) in [
        (UNAVAILABLE, "dependency.unavailable", "", 3),
        (
            UNAVAILABLE,
            "dependency.unavailable",
            "retry-after: 60\r\n",
            1,
        ),
        ("401 Unauthorized", "auth.refresh_invalid", "", 1),
        ("429 Too Many Requests", "rate.limited", "", 1),
    ] {
        let server = Server::start(move |_, _| refused(status, code, headers)).await;
        server.client().refresh(&session(0)).await.unwrap_err();
        assert_eq!(server.asked("POST /auth/refresh"), times, "{code}{headers}");
    }
    let server = Server::start(|_, _| DROPPED.to_owned()).await;
    server.client().refresh(&session(0)).await.unwrap_err();
    assert_eq!(server.asked("POST /auth/refresh"), 3);
}

#[tokio::test]
async fn no_token_is_shown_by_debug() {
    let session = session(900);
    let shown = format!("{session:?} {session:#?}");
    assert!(
        !shown.contains("access-0") && !shown.contains("refresh-0"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_read_is_tried_again_as_late_as_the_platform_asks() {
    let server = Server::start(|_, before| match before {
        0 => refused(UNAVAILABLE, "dependency.unavailable", ""),
        1 => refused(
            "429 Too Many Requests",
            "rate.limited",
            "retry-after: 1\r\n",
        ),
        _ => devices(),
    })
    .await;
    let retry = Retry {
        first: Duration::from_millis(10),
        ..Retry::default()
    };
    let client = server.client().retrying(retry);
    let start = Instant::now();
    client.devices(&session(900)).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.asked("GET /devices"), 3);
}

#[tokio::test]
async fn what_may_not_be_repeated_or_is_asked_for_too_late_is_not_tried_again() {
    let server = Server::start(|request, _| {
        if request.starts_with("GET /me/balance") {
            refused(
                "429 Too Many Requests",
                "rate.limited",
                "retry-after: 600\r\n",
            )
        } else if request.starts_with("GET") {
            refused("404 Not Found", "not_found", "")
        } else {
            refused(UNAVAILABLE, "dependency.unavailable", "")
        }
    })
    .await;
    let client = server.client().retrying(Retry::default());
    let session = session(900);
    let start = Instant::now();
    // A sign-in is no read; a 404 stays one; ten minutes are not waited for.
    client.nonce(session.wallet).await.unwrap_err();
    client.devices(&session).await.unwrap_err();
    client.balance(&session).await.unwrap_err();
    assert_eq!(server.asked.lock().unwrap().len(), 3);
    assert!(start.elapsed() < Duration::from_secs(5));
}
