//! Clients that take their time, to keep others out.

use crate::raw::{KeepAlive, PATIENCE, statuses};
use crate::world::World;
use service::access::{Routes, Rule};
use service::extract::Json;
use service::limit::RateClass;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const OPEN: Rule = Rule::public(RateClass::Unlimited);

/// More than the buffers of a connection hold, on both sides, when it is asked for a few times.
static LARGE: &[u8] = &[b'x'; 4 << 20];
const OFTEN: usize = 16;

fn routes() -> Routes {
    Routes::new()
        .get("/quick", OPEN, async || "quick", |op| op)
        .get("/large", OPEN, async || LARGE, |op| op)
        .post(
            "/take",
            OPEN,
            async |Json(_): Json<serde_json::Value>| "taken",
            |op| op,
        )
}

/// 2,000, or what the process may open, two for each.
fn many() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open: usize = limits
        .lines()
        .find_map(|line| {
            line.strip_prefix("Max open files")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(1_024);
    (open.saturating_sub(500) / 2).min(2_000)
}

async fn open(address: SocketAddr, number: usize, bytes: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..number {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    streams
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(end.is_ok(), "left open");
    String::from_utf8_lossy(&answer).into_owned()
}

const BODY: &str = "POST /take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n\"";

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_half_open_requests_keep_nobody_out() {
    let number = many();
    assert!(number >= 200, "too few files may be open: {number}");
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.http.header_timeout_ms = 8_000;
        setup.http.request_timeout_ms = 8_000;
        setup.http.max_in_flight = 16;
    })
    .await;
    let address = world.running.public;
    let begun = Instant::now();
    let mut heads = open(
        address,
        number / 2,
        "GET /quick HTTP/1.1\r\nHost: x\r\nX-A: ",
    )
    .await;
    let mut bodies = open(address, number / 2, BODY).await;
    // As many as there are places, and far more, wait; ordinary requests do not.
    let mut ordinary = KeepAlive::connect(address).await.unwrap();
    let mut shed = 0;
    for _ in 0..200 {
        match timeout(Duration::from_secs(2), ordinary.get("/quick"))
            .await
            .unwrap()
            .unwrap()
            .status
        {
            200 => {}
            // A body is looked at for a moment when its head has come.
            503 => shed += 1,
            status => panic!("{status}"),
        }
    }
    assert!(shed < 20, "{shed} of 200 were refused");
    // Each is cut off in its time.
    let answer = rest(heads.last_mut().unwrap()).await;
    assert!(
        statuses(&answer).iter().all(|status| *status == 408),
        "{answer}"
    );
    let answer = rest(bodies.last_mut().unwrap()).await;
    assert_eq!(statuses(&answer), [503], "{answer}");
    assert!(answer.contains("request.timeout"), "{answer}");
    assert!(begun.elapsed() < Duration::from_mins(1));
}

#[tokio::test]
async fn connections_over_the_cap_wait_and_are_served_when_slow_heads_are_cut_off() {
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.http.header_timeout_ms = 1_000;
        setup.http.max_connections = 8;
    })
    .await;
    let address = world.running.public;
    let mut slow = open(address, 8, "GET /quick HTTP/1.1\r\n").await;
    let waiting: Vec<_> = (0..16)
        .map(|_| tokio::spawn(world.get("/quick").send()))
        .collect();
    for stream in &mut slow {
        rest(stream).await;
    }
    for request in waiting {
        let answer = timeout(PATIENCE, request).await.unwrap().unwrap().unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn a_head_or_a_body_that_comes_byte_by_byte_gets_no_more_time() {
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.http.header_timeout_ms = 700;
        setup.http.request_timeout_ms = 700;
    })
    .await;
    for start in ["GET /quick HTTP/1.1\r\nHost: x\r\nX-A: ", BODY] {
        let mut stream = TcpStream::connect(world.running.public).await.unwrap();
        stream.write_all(start.as_bytes()).await.unwrap();
        let begun = Instant::now();
        let mut byte = [0];
        loop {
            assert!(begun.elapsed() < Duration::from_secs(10), "still taken");
            if stream.write_all(b"x").await.is_err() {
                break;
            }
            // An answer or the end.
            if timeout(Duration::from_millis(50), stream.read(&mut byte))
                .await
                .is_ok()
            {
                break;
            }
        }
        assert!(begun.elapsed() >= Duration::from_millis(500));
    }
}

#[tokio::test]
async fn clients_that_ask_for_much_and_read_nothing_keep_nobody_out() {
    let limit = Duration::from_secs(1);
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.http.header_timeout_ms = 1_000;
        setup.http.max_connections = 4;
    })
    .await;
    let begun = Instant::now();
    let much = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(OFTEN);
    let mut greedy = open(world.running.public, 4, &much).await;
    let answer = timeout(PATIENCE, world.get("/quick").send()).await;
    assert_eq!(answer.expect("kept out").unwrap().status(), 200);
    assert!(begun.elapsed() >= limit, "the places were not taken");
    // One place was enough for that answer; whoever has one longer would now be read from in time.
    tokio::time::sleep(limit).await;
    for stream in &mut greedy {
        let mut taken = Vec::new();
        let end = timeout(PATIENCE, stream.read_to_end(&mut taken)).await;
        assert!(end.is_ok(), "left open");
        assert!(taken.len() < OFTEN * LARGE.len(), "everything was sent");
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_but_steadily_gets_everything() {
    let limit = Duration::from_secs(2);
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.http.header_timeout_ms = 2_000;
    })
    .await;
    let much = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(OFTEN);
    let mut streams = open(world.running.public, 1, &much).await;
    let stream = streams.first_mut().unwrap();
    let begun = Instant::now();
    let (mut part, mut taken) = (vec![0; 1 << 20], 0);
    while taken < OFTEN * LARGE.len() {
        let read = stream.read_exact(&mut part).await;
        taken += read.unwrap_or_else(|error| panic!("cut off after {taken} bytes: {error}"));
        // The time that a slow client takes is what this is about.
        tokio::time::sleep(limit / 25).await;
    }
    assert!(begun.elapsed() > limit * 2, "not slow");
}
