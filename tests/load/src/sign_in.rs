//! Signing in, as a load and for others.

use crate::drive::{Connection, Driven, Failure, gather};
use client::Wallet;
use contracts::auth::{NonceRequest, NonceResponse, RefreshRequest, TokenResponse};
use hyper::Method;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// New wallets sign in, one after the other on each connection. The wallets' own work is not the server's.
pub(crate) async fn sign_ins(
    port: u16,
    connections: u32,
    time: Duration,
) -> Result<Driven, Failure> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(async move {
            let mut connection = Connection::open(port).await?;
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let sent = Instant::now();
                sign_in(&mut connection, &Wallet::generate()?).await?;
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        });
    }
    gather(clients, start).await
}

/// Sessions are refreshed, one after the other on each connection.
pub(crate) async fn refreshes(
    port: u16,
    connections: u32,
    time: Duration,
) -> Result<Driven, Failure> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(async move {
            let mut connection = Connection::open(port).await?;
            let mut refresh_token = sign_in(&mut connection, &Wallet::generate()?)
                .await?
                .refresh_token;
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let sent = Instant::now();
                let body = serde_json::to_string(&RefreshRequest { refresh_token })?;
                let answer = connection
                    .send(Method::POST, "/auth/refresh", None, Some(body))
                    .await?;
                refresh_token = serde_json::from_slice::<TokenResponse>(&answer)?.refresh_token;
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        });
    }
    gather(clients, start).await
}

/// A session of `wallet`.
pub(crate) async fn sign_in(
    connection: &mut Connection,
    wallet: &Wallet,
) -> Result<TokenResponse, Failure> {
    let body = serde_json::to_string(&NonceRequest {
        wallet_address: wallet.address(),
    })?;
    let nonce = connection
        .send(Method::POST, "/auth/nonce", None, Some(body))
        .await?;
    let nonce: NonceResponse = serde_json::from_slice(&nonce)?;
    let body = serde_json::to_string(&wallet.verify_request(&nonce.message))?;
    let token = connection
        .send(Method::POST, "/auth/verify", None, Some(body))
        .await?;
    Ok(serde_json::from_slice(&token)?)
}
