//! Clients that keep their connections and ask as fast as they are answered, or at a fixed rate.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Why a measurement ends.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// A request to send over and over.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) port: u16,
    pub(crate) path: &'static str,
    pub(crate) token: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Driven {
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    /// Times from the moment a request was due to its answer, sorted.
    pub(crate) latencies: Vec<Duration>,
}

impl Driven {
    /// The time that `percent` of the requests did not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let at = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(at).copied().unwrap_or_default()
    }
}

/// A connection that is kept.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(port: u16) -> Result<Self, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends and reads to the end; fails unless the answer is a success.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<String>,
    ) -> Result<Bytes, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::from(body.unwrap_or_default()))?;
        self.0.ready().await?;
        let response = self.0.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(format!(
                "{path} answered {status}: {}",
                String::from_utf8_lossy(&body)
            )
            .into())
        }
    }
}

/// `connections` clients ask for `time`, each as fast as it is answered.
pub(crate) async fn flood(
    call: &Call,
    connections: u32,
    time: Duration,
) -> Result<Driven, Failure> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let call = call.clone();
        clients.spawn(async move {
            let mut connection = Connection::open(call.port).await?;
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let sent = Instant::now();
                connection
                    .send(Method::GET, call.path, call.token.as_deref(), None)
                    .await?;
                latencies.push(sent.elapsed());
            }
            Ok::<_, Failure>(latencies)
        });
    }
    gather(clients, start).await
}

/// `rate` requests a second for `time`, whether or not the ones before were answered: a slow answer makes those behind
/// it late, and that counts.
pub(crate) async fn pace(call: &Call, rate: u32, time: Duration) -> Result<Driven, Failure> {
    const CONNECTIONS: u32 = 32;
    let start = Instant::now();
    let mut clients = JoinSet::new();
    let call = Arc::new(call.clone());
    for n in 0..CONNECTIONS {
        let call = call.clone();
        clients.spawn(async move {
            let mut connection = Connection::open(call.port).await?;
            let period = Duration::from_secs(1) * CONNECTIONS / rate;
            tokio::time::sleep(period * n / CONNECTIONS).await;
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let due = ticks.tick().await;
                connection
                    .send(Method::GET, call.path, call.token.as_deref(), None)
                    .await?;
                latencies.push(due.elapsed());
            }
            Ok::<_, Failure>(latencies)
        });
    }
    gather(clients, start).await
}

/// Waits for the clients and puts their times together.
pub(crate) async fn gather(
    mut clients: JoinSet<Result<Vec<Duration>, Failure>>,
    start: Instant,
) -> Result<Driven, Failure> {
    let mut latencies = Vec::new();
    while let Some(client) = clients.join_next().await {
        latencies.extend(client??);
    }
    latencies.sort_unstable();
    Ok(Driven {
        requests: u64::try_from(latencies.len())?,
        took: start.elapsed(),
        latencies,
    })
}
