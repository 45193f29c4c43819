//! J2.8 to J2.11: what becomes of a session.

use crate::smoke::check::{Found, ensure, refusal, text};
use crate::smoke::recorder::{Recorder, Step};
use crate::smoke::{StepReport, Tag};
use client::{Client, ClientError, ExposeSecret as _, Session, Wallet};
use contracts::Code;
use std::time::{Duration, Instant};

/// How soon every part of the platform must know that a session was ended.
const PROMISE: Duration = Duration::from_secs(2);

pub(super) async fn walk<W: FnMut(&StepReport)>(client: &Client, recorder: &mut Recorder<W>) {
    let step = |id, title, tag| Step { id, title, tag };
    let refreshed = recorder
        .take(
            step("J2.8", "a refresh token becomes new tokens", Tag::Staging),
            refresh(client),
        )
        .await;
    recorder
        .take_with(
            step(
                "J2.9",
                "an old refresh token is refused and ends the session",
                Tag::Staging,
            ),
            refreshed.as_ref(),
            |session| reuse(client, session),
        )
        .await;
    recorder
        .take(
            step(
                "J2.10",
                "after a logout the api refuses the token within 2 s",
                Tag::Staging,
            ),
            logout(client),
        )
        .await;
    recorder
        .take(
            step(
                "J2.11",
                "a second wallet is linked and is the same user",
                Tag::Staging,
            ),
            link(client),
        )
        .await;
}

/// The refresh token gives new tokens, and again the same ones to whoever did not get the answer.
async fn refresh(client: &Client) -> Found<Session> {
    let session = signed_in(client).await?;
    let first = session.refresh_token();
    let before = session.access_token();
    client.refresh(&session).await.map_err(text)?;
    ensure(
        session.access_token().expose_secret() != before.expose_secret(),
        || "the access token is the one from before".into(),
    )?;
    client.me(&session).await.map_err(text)?;
    let again = client
        .refresh_with(first.expose_secret())
        .await
        .map_err(text)?;
    ensure(
        again.refresh_token == session.refresh_token().expose_secret(),
        || "a lost answer was not given again: the next refresh token is another one".into(),
    )?;
    let list = client.sessions(&session).await.map_err(text)?.sessions;
    ensure(list.iter().filter(|one| one.current).count() == 1, || {
        "the list of sessions does not show the one that asks".into()
    })?;
    let seen = format!("good for {} s more", again.expires_in);
    Ok((session, seen))
}

/// A refresh token from two renewals ago is in the wrong hands: nobody keeps the session.
async fn reuse(client: &Client, session: &Session) -> Found<()> {
    let stolen = session.refresh_token();
    for _ in 0..2 {
        client.refresh(session).await.map_err(text)?;
    }
    let thief = client.refresh_with(stolen.expose_secret()).await;
    refusal(thief, Code::AuthRefreshReused)?;
    let newest = session.refresh_token();
    let owner = client.refresh_with(newest.expose_secret()).await;
    ensure(owner.is_err(), || "the session goes on".into())?;
    let took = until_refused(client, session).await?;
    Ok(((), format!("and its tokens after {} ms", took.as_millis())))
}

/// After a logout the api takes the token no more, within what is promised.
async fn logout(client: &Client) -> Found<()> {
    let session = signed_in(client).await?;
    client.me(&session).await.map_err(text)?;
    client.logout(&session).await.map_err(text)?;
    let took = until_refused(client, &session).await?;
    ensure(client.refresh(&session).await.is_err(), || {
        "the refresh token still works".into()
    })?;
    Ok(((), format!("401 after {} ms", took.as_millis())))
}

/// A second wallet, linked by both signatures, signs in as the same user, who can end the sessions of both.
async fn link(client: &Client) -> Found<()> {
    let current = Wallet::generate().map_err(text)?;
    let other = Wallet::generate().map_err(text)?;
    let session = client.sign_in(&current).await.map_err(text)?;
    let linked = client.link_wallet(&session, &current, &other).await;
    ensure(linked.map_err(text)?.wallets.len() == 2, || {
        "the answer does not name two wallets".into()
    })?;
    let of_other = client.sign_in(&other).await.map_err(text)?;
    let wallets = client.wallets(&of_other).await.map_err(text)?.wallets;
    ensure(
        wallets
            .iter()
            .any(|one| one.wallet_address == current.address()),
        || "the second wallet signs in as somebody else".into(),
    )?;
    let list = client.sessions(&of_other).await.map_err(text)?.sessions;
    let first = list.iter().find(|one| !one.current);
    let first = first.ok_or("the first wallet's session is not listed")?.id;
    client.end_session(&of_other, first).await.map_err(text)?;
    until_refused(client, &session).await?;
    let ended = client.logout_all(&of_other).await.map_err(text)?.ended;
    ensure(ended == 1, || format!("{ended} sessions were ended, not 1"))?;
    until_refused(client, &of_other).await?;
    Ok(((), "two wallets, one user; both sessions ended".into()))
}

async fn signed_in(client: &Client) -> Result<Session, String> {
    let wallet = Wallet::generate().map_err(text)?;
    client.sign_in(&wallet).await.map_err(text)
}

async fn until_refused(client: &Client, session: &Session) -> Result<Duration, String> {
    let start = Instant::now();
    loop {
        match client.me(session).await {
            Ok(_) => {}
            Err(ClientError::Refused(refusal))
                if refusal.problem.code == Code::AuthSessionRevoked =>
            {
                return Ok(start.elapsed());
            }
            Err(error) => return Err(error.to_string()),
        }
        ensure(start.elapsed() < PROMISE, || {
            format!(
                "the api still takes the token after {} s",
                PROMISE.as_secs()
            )
        })?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
