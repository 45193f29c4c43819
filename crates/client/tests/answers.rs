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

#[tokio::test]
async fn what_moves_money_is_sent_with_the_key_of_its_cause() {
    use client::{Decision, Session};
    use uuid::Uuid;

    let payout = serde_json::json!({
        "id": Uuid::nil(), "influencerId": Uuid::nil(), "amount": "5", "currency": "TWIST", "method": "ledger",
        "status": "failed", "state": "rejected", "version": 2, "policyId": 1, "platformFee": "0",
        "processingFee": "0", "netAmount": "5", "walletAddress": null, "transactionId": null,
        "failureReason": "why", "requestedAt": "2026-01-01T00:00:00Z", "approvedAt": null,
        "processedAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
    });
    let json = "content-type: application/json\r\n";
    let (client, asked) = one_answer(http("200 OK", json, &payout.to_string())).await;
    let (id, cause) = (Uuid::from_u128(7), Uuid::from_u128(8));
    let decision = Decision::Reject("why".to_owned());
    let tokens = serde_json::json!({
        "tokenType": "Bearer", "accessToken": "a", "expiresIn": 900, "refreshToken": "r", "refreshExpiresIn": 900,
    });
    let session = Session::new(WALLET, serde_json::from_value(tokens).unwrap());
    let told = client
        .decide_payout(&session, id, &decision, cause)
        .await
        .unwrap();
    assert_eq!(told.failure_reason.as_deref(), Some("why"));
    let asked = asked.await.unwrap();
    assert!(
        asked.starts_with(&format!("POST /payouts/{id}/reject ")),
        "{asked}"
    );
    assert!(
        asked.contains(&format!("idempotency-key: {cause}\r\n")),
        "{asked}"
    );
    assert!(asked.ends_with(r#"{"reason":"why"}"#), "{asked}");
}
