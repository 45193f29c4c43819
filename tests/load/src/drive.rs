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

/// Name and value.
pub(crate) type Header = (&'static str, String);

/// Says that the body is JSON.
pub(crate) fn json() -> Header {
    ("content-type", "application/json".to_owned())
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
        let mut headers = Vec::new();
        if let Some(token) = token {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        if body.is_some() {
            headers.push(json());
        }
        let body = Bytes::from(body.unwrap_or_default());
        self.send_with(method, path, headers, body).await
    }

    /// As [`send`](Self::send), with any headers.
    pub(crate) async fn send_with(
        &mut self,
        method: Method,
        path: &str,
        headers: Vec<Header>,
        body: Bytes,
    ) -> Result<Bytes, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(body))?;
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

/// One of many that ask at the same time, each on its own.
pub(crate) trait Client: Send + 'static {
    /// Asks for the `n`th time and reads the answer.
    fn ask(&mut self, n: u64) -> impl Future<Output = Result<(), Failure>> + Send;
}

struct Reader {
    connection: Connection,
    call: Arc<Call>,
}

impl Client for Reader {
    async fn ask(&mut self, _: u64) -> Result<(), Failure> {
        let Call { path, token, .. } = &*self.call;
        let answer = self
            .connection
            .send(Method::GET, path, token.as_deref(), None);
        answer.await.map(drop)
    }
}

/// `call` from 32 connections, as [`pace_each`] does.
pub(crate) async fn pace(call: &Call, rate: u32, time: Duration) -> Result<Driven, Failure> {
    let call = Arc::new(call.clone());
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(Reader {
            connection: Connection::open(call.port).await?,
            call: Arc::clone(&call),
        });
    }
    pace_each(clients, rate, time).await
}

/// `rate` requests a second of all `clients` together for `time`, whether or not the ones before were answered: a slow
/// answer makes those behind it late, and that counts.
pub(crate) async fn pace_each<C: Client>(
    clients: Vec<C>,
    rate: u32,
    time: Duration,
) -> Result<Driven, Failure> {
    let start = Instant::now();
    let count = u32::try_from(clients.len())?;
    let period = Duration::from_secs(1) * count / rate;
    let mut tasks = JoinSet::new();
    for (index, mut client) in (0u32..).zip(clients) {
        tasks.spawn(async move {
            tokio::time::sleep(period * index / count).await;
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut latencies = Vec::new();
            let mut n = 0;
            while start.elapsed() < time {
                let due = ticks.tick().await;
                client.ask(n).await?;
                latencies.push(due.elapsed());
                n += 1;
            }
            Ok::<_, Failure>(latencies)
        });
    }
    gather(tasks, start).await
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
