//! Two instances of each service behind one address: what one does, the other knows.

use client::{Client, Endpoints, Session, Wallet};
use contracts::Code;
use e2e::{Pair, Turn, eventually};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};

/// What is promised.
const KNOWN_WITHIN: Duration = Duration::from_secs(2);

/// Calls `auth` and `api` of `client` with the session's token; whether both admit it.
async fn admitted(client: &Client, session: &Session) -> [Result<(), Code>; 2] {
    let ask = async |url: &str, path: &str| {
        let request = session.sign(client.request(Method::GET, url, path));
        let answer = client.send(request).await.unwrap();
        answer.problem().map_or(Ok(()), |problem| Err(problem.code))
    };
    let Endpoints { auth, api, .. } = &client.endpoints;
    [ask(auth, "/auth/sessions").await, ask(api, "/me").await]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_on_one_instance_is_refused_by_all_within_two_seconds() {
    let turn = Turn::take().await;
    let pair = Pair::beside(&turn).await;
    let wallet = Wallet::generate().unwrap();
    let session = pair.client().sign_in(&wallet).await.unwrap();
    let other = pair.client().sign_in(&wallet).await.unwrap();
    let (first, second) = (pair.first(), pair.second());
    for client in [&first, &second] {
        assert_eq!(admitted(client, &session).await, [Ok(()), Ok(())]);
    }

    let ended = Instant::now();
    let logout = first.request(Method::POST, &first.endpoints.auth, "/auth/logout");
    let answer = first.send(session.sign(logout)).await.unwrap();
    assert_eq!(answer.status, 204);
    for client in [&first, &second] {
        loop {
            let answers = admitted(client, &session).await;
            if answers == [Err(Code::AuthSessionRevoked); 2] {
                break;
            }
            assert!(
                ended.elapsed() < KNOWN_WITHIN,
                "still admitted: {answers:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    // For good, and whichever instance answers; the user's other session goes on.
    for _ in 0..20 {
        let refused = admitted(&pair.client(), &session).await;
        assert_eq!(refused, [Err(Code::AuthSessionRevoked); 2]);
        assert_eq!(admitted(&pair.client(), &other).await, [Ok(()), Ok(())]);
    }
    turn.assert_ledger().await;
}

/// Requests a second, while the key changes; fewer on a machine that cannot.
const RATE: u64 = 500;
const IN_FLIGHT: usize = 32;
const ADMITTED: &str = "admitted";

#[tokio::test(flavor = "multi_thread")]
async fn while_the_signing_key_changes_nobody_who_is_signed_in_is_refused() {
    let turn = Turn::take().await;
    let pair = Pair::beside(&turn).await;
    let client = pair.client();
    // Somebody new each time: one wallet gets five nonces a minute.
    let sign_in = async || client.sign_in(&Wallet::generate().unwrap()).await.unwrap();
    let session = Arc::new(std::sync::Mutex::new(sign_in().await));
    let answers = Arc::new(std::sync::Mutex::new(BTreeMap::<String, u64>::new()));

    let began = Instant::now();
    let load = {
        let (client, url) = (client.clone(), pair.api_url());
        let (session, answers) = (session.clone(), answers.clone());
        tokio::spawn(async move {
            let mut ticks = interval(Duration::from_micros(1_000_000 / RATE));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let places = Arc::new(Semaphore::new(IN_FLIGHT));
            loop {
                ticks.tick().await;
                let place = places.clone().acquire_owned().await.unwrap();
                let request = client.request(Method::GET, &url, "/me");
                let request = session.lock().unwrap().sign(request);
                let (client, answers) = (client.clone(), answers.clone());
                tokio::spawn(async move {
                    let answer = client.send(request).await;
                    drop(place);
                    let kind = match answer {
                        Ok(answer) if answer.status == 200 => ADMITTED.to_owned(),
                        Ok(answer) => {
                            format!("{} {:?}", answer.status, answer.problem().map(|it| it.code))
                        }
                        Err(error) => format!("{error:?}"),
                    };
                    *answers.lock().unwrap().entry(kind).or_default() += 1;
                });
            }
        })
    };

    let before = active_key(&turn).await;
    turn.rotate_keys();
    eventually("the new key signs", || async {
        active_key(&turn).await != before
    })
    .await;
    // From now on tokens of either key are about; new ones are taken at once, by both.
    for _ in 0..20 {
        let newer = sign_in().await;
        *session.lock().unwrap() = newer;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    load.abort();
    let mut answers = std::mem::take(&mut *answers.lock().unwrap());
    let admitted = answers.remove(ADMITTED).unwrap_or_default();
    let rate = f64::from(u32::try_from(admitted).unwrap()) / began.elapsed().as_secs_f64();
    // Also of a run that goes well: the figure is a promise.
    let said = format!("while the key changed: {admitted} requests admitted, {rate:.0} a second\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    assert!(answers.is_empty(), "{admitted} admitted, but: {answers:#?}");
    assert!(
        admitted > 1_000,
        "only {admitted} requests: that is no load"
    );
    // The edge asks for keys at most twice a minute; tests after this one need it to know the new one.
    let user = sign_in().await;
    eventually("the edge knows the new key", || async {
        let request = client.request(Method::POST, &client.endpoints.edge, "/api/v1/vau");
        let request = user.sign(request).json(&serde_json::json!({}));
        let known = client.send(request).await.unwrap().status == 400;
        // Each try counts in the edge's limit of one address.
        tokio::time::sleep(Duration::from_secs(u64::from(!known))).await;
        known
    })
    .await;
}

async fn active_key(turn: &Turn) -> String {
    let statement = sea_orm::Statement::from_string(
        sea_orm::DbBackend::Postgres,
        "SELECT kid FROM signing_keys WHERE state = 'active'",
    );
    let database = turn.database().await;
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "kid").unwrap()
}
