//! J2.6: who asks for too many nonces waits.

use crate::smoke::check::{Found, ensure, problem, text};
use client::{Client, Wallet};
use contracts::Code;
use contracts::auth::NonceRequest;
use reqwest::Method;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

/// Nobody can try a limit beyond this: a platform that is set up so is not being tested.
const TRIABLE: u64 = 2_000;
/// How long an address over the limit is refused.
const BLOCK_SECONDS: u64 = 600;

/// Asks from an address of its own, so that nobody else is refused afterwards.
pub(super) async fn limit(client: &Client) -> Found<()> {
    let address = own_address();
    let caller = Client::calling_from(client.endpoints.clone(), address).map_err(text)?;
    let start = Instant::now();
    let first = ask(&caller).await?;
    ensure(first.status == 200, || {
        format!("the first call is answered {}", first.status)
    })?;
    let limit = limit_of(&first)?;
    let mut admitted = 1;
    let refused = loop {
        let answer = ask(&caller).await?;
        if answer.status != 200 {
            break answer;
        }
        admitted += 1;
        // What comes back while the step asks.
        let most = limit + limit * (start.elapsed().as_secs() + 1) / 60;
        ensure(admitted <= most, || {
            format!("{admitted} calls were admitted, over the limit of {limit}")
        })?;
    };
    problem(&refused, Code::RateLimited)?;
    ensure(admitted >= limit, || {
        format!("refused after {admitted} of {limit} calls")
    })?;
    let seconds = refused.retry_after().map_or(0, |wait| wait.as_secs());
    ensure((1..=BLOCK_SECONDS).contains(&seconds), || {
        format!("Retry-After is {seconds} s")
    })?;
    let again = ask(&caller).await?;
    problem(&again, Code::RateLimited)?;
    // Everybody else goes on.
    let other = ask(client).await?;
    ensure(other.status == 200, || {
        format!("another address is answered {}", other.status)
    })?;
    Ok(((), format!("429 after {admitted}, for {seconds} s")))
}

/// How many calls in a minute the platform says it admits: 120 unless it is set up otherwise.
fn limit_of(answer: &client::Answer) -> Result<u64, String> {
    let limit = answer
        .header("x-ratelimit-limit")
        .and_then(|limit| limit.parse().ok())
        .ok_or("the answer says no limit")?;
    ensure(limit <= TRIABLE, || {
        format!("the limit of {limit} calls is too high to be tried")
    })?;
    Ok(limit)
}

async fn ask(client: &Client) -> Result<client::Answer, String> {
    let wallet_address = Wallet::generate().map_err(text)?.address();
    let request = client
        .request(Method::POST, &client.endpoints.auth, "/auth/nonce")
        .json(&NonceRequest { wallet_address });
    client.send(request).await.map_err(text)
}

/// One of this machine's addresses that nothing else uses: all of 127.0.0.0/8 is the loopback's.
fn own_address() -> IpAddr {
    let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
    // Neither 127.0.x.x, where services listen, nor the network's first and last address.
    Ipv4Addr::new(127, a.max(1), b, c.clamp(1, 254)).into()
}
