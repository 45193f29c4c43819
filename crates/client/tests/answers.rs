//! What the client makes of answers, from a server that says whatever the test wants.

#![allow(clippy::unwrap_used, reason = "a test may stop on the spot")]

use client::{Client, ClientError, Endpoints};
use contracts::Code;
use domain::WalletAddress;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers one request with `answer`; gives back what was asked.
async fn one_answer(answer: String) -> (Client, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 65_536];
        let read = stream.read(&mut buffer).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        buffer.truncate(read);
        String::from_utf8(buffer).unwrap()
    });
    let endpoints = Endpoints {
        auth: url.clone(),
        api: url.clone(),
        edge: url,
    };
    (Client::new(endpoints).unwrap(), asked)
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

const WALLET: WalletAddress = WalletAddress::from_bytes([9; 32]);

#[tokio::test]
async fn a_problem_is_not_lost_on_the_way() {
    let body = serde_json::to_string(&contracts::Problem::new(
        Code::RateLimited,
        "slow down",
        "req-1",
    ))
    .unwrap();
    let (client, asked) = one_answer(http(
        "429 Too Many Requests",
        "content-type: application/problem+json\r\nretry-after: 7\r\n",
        &body,
    ))
    .await;
    let error = client.nonce(WALLET).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::RateLimited));
    assert!(error.is_retryable());
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.retry_after.unwrap().as_secs(), 7);
    assert_eq!(refusal.problem.request_id, "req-1");
    assert!(asked.await.unwrap().contains("x-request-id: "));
}

#[tokio::test]
async fn a_gateways_own_page_is_not_taken_for_an_answer_of_the_platform() {
    let (client, _asked) = one_answer(http(
        "502 Bad Gateway",
        "content-type: text/html\r\n",
        "<h1>nginx</h1>",
    ))
    .await;
    let error = client.nonce(WALLET).await.unwrap_err();
    assert!(matches!(error, ClientError::NotOurs { status: 502, .. }));
    assert_eq!(error.code(), None);
}

#[tokio::test]
async fn nobody_listening_is_said_with_the_url() {
    let nowhere = "http://127.0.0.1:1".to_owned();
    let endpoints = Endpoints {
        auth: nowhere.clone(),
        api: nowhere.clone(),
        edge: nowhere,
    };
    let error = Client::new(endpoints)
        .unwrap()
        .nonce(WALLET)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("127.0.0.1:1/auth/nonce"),
        "{error}"
    );
    assert!(error.is_retryable());
}
