//! A stop while clients go on.

use crate::raw::KeepAlive;
use crate::world::World;
use service::access::{Routes, Rule};
use service::limit::RateClass;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

const OPEN: Rule = Rule::public(RateClass::Unlimited);
const CLIENTS: usize = 32;

/// Asks again and again until told that the connection ends; counts answers.
async fn client(address: SocketAddr, answered: Arc<AtomicUsize>) -> Result<(), String> {
    let mut connection = KeepAlive::connect(address).await.unwrap();
    loop {
        let Some(answer) = connection.get("/quick").await else {
            return Err("a request was dropped".to_owned());
        };
        if answer.status != 200 {
            return Err(format!("a request was answered {}", answer.status));
        }
        answered.fetch_add(1, Ordering::Relaxed);
        if answer.last {
            return Ok(());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_drops_no_request_and_finishes_what_is_slow() {
    let begun = Arc::new(Notify::new());
    let told = begun.clone();
    let routes = Routes::new()
        .get("/quick", OPEN, async || "quick", |op| op)
        .get(
            "/slow",
            OPEN,
            move || {
                let told = told.clone();
                async move {
                    told.notify_one();
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    "finished"
                }
            },
            |op| op,
        );
    let world = World::start_with(routes, Routes::new(), vec![], |setup| {
        setup.http.request_timeout_ms = 10_000;
    })
    .await;
    let address = world.running.public;
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(client(address, answered.clone())))
        .collect();
    let slow = tokio::spawn(world.get("/slow").send());
    begun.notified().await;
    while answered.load(Ordering::Relaxed) < 10 * CLIENTS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stopped = Instant::now();
    world.running.stop().await;
    assert!(
        stopped.elapsed() < Duration::from_secs(10),
        "{:?}",
        stopped.elapsed()
    );
    assert_eq!(
        slow.await.unwrap().unwrap().text().await.unwrap(),
        "finished"
    );
    for client in clients {
        assert_eq!(client.await.unwrap(), Ok(()));
    }
}

#[tokio::test]
async fn a_connection_that_rests_does_not_hold_a_stop_up() {
    let routes = Routes::new().get("/quick", OPEN, async || "quick", |op| op);
    let world = World::start(routes, Routes::new()).await;
    let mut resting = KeepAlive::connect(world.running.public).await.unwrap();
    assert_eq!(resting.get("/quick").await.unwrap().status, 200);
    let stopped = Instant::now();
    world.running.stop().await;
    assert!(
        stopped.elapsed() < Duration::from_secs(5),
        "{:?}",
        stopped.elapsed()
    );
    assert!(resting.get("/quick").await.is_none());
}

#[tokio::test]
async fn a_request_that_was_on_its_way_when_the_stop_began_is_answered() {
    let routes = Routes::new().get("/quick", OPEN, async || "quick", |op| op);
    let world = World::start(routes, Routes::new()).await;
    let mut client = KeepAlive::connect(world.running.public).await.unwrap();
    assert!(!client.get("/quick").await.unwrap().last);
    let address = world.running.public;
    let stopping = tokio::spawn(world.running.stop());
    while KeepAlive::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let answer = client.get("/quick").await.unwrap();
    assert_eq!((answer.status, answer.last), (200, true));
    stopping.await.unwrap();
}
