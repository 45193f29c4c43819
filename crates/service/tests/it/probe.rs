//! The health check of a container.

use crate::world::World;
use service::access::Routes;
use service::health::ReadyCheck;
use service::probe::{ProbeError, ready};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

async fn world(checks: Vec<ReadyCheck>) -> World {
    World::start_with(Routes::new(), Routes::new(), checks, |_| {}).await
}

#[tokio::test]
async fn a_ready_instance_is_found_where_it_is_configured_to_listen() {
    let world = world(vec![]).await;
    ready(world.running.public).await.unwrap();
}

#[tokio::test]
async fn an_instance_that_listens_on_every_address_is_reached() {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let world = World::start_with(Routes::new(), Routes::new(), vec![], |setup| {
        setup.listen = everywhere;
    })
    .await;
    assert!(world.running.public.ip().is_unspecified());
    ready(world.running.public).await.unwrap();
}

#[tokio::test]
async fn an_instance_that_lost_its_database_is_not_healthy() {
    let down = ReadyCheck::new("postgres", async || Err("down".to_owned()));
    let world = world(vec![down]).await;
    let error = ready(world.running.public).await.unwrap_err();
    assert!(matches!(error, ProbeError::NotReady { .. }), "{error}");
    assert!(error.to_string().contains("503"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_not_healthy() {
    // Bound and let go, so that nothing listens there.
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = ready(gone).await.unwrap_err();
    assert!(matches!(error, ProbeError::Silent { .. }), "{error}");
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    assert!(matches!(ready(any_port).await, Err(ProbeError::NoPort)));
}

#[tokio::test]
async fn one_that_takes_the_call_and_never_answers_does_not_hold_the_probe_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let asked = Instant::now();
    let error = ready(address).await.unwrap_err();
    assert!(error.to_string().contains("nothing within 2 s"), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(10), "{error}");
}
