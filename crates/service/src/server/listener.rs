//! Connections: HTTP/1.1 with a time limit on heads and on answers that are not taken, a cap on their number, and a
//! drain at the end.

use super::client::Proxies;
use super::stall::StallLimit;
use axum::Router;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

/// The largest request head.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 64;
/// A pause after `accept` fails (out of file descriptors), instead of a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a stop goes on accepting clients that had connected before, and how long it waits for the next of them.
const LAST_CALL: Duration = Duration::from_millis(50);
const NEXT_OF_LAST: Duration = Duration::from_millis(5);
/// How long a stop leaves connections alone that rest: a request may be on its way. Its answer says that the
/// connection ends.
const QUIET: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) header_timeout: Duration,
    pub(super) max_connections: u32,
    pub(super) drain: Duration,
}

/// Serves until `stopped` turns true, then finishes what is in flight.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    proxies: Proxies,
    mut stopped: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(
        limits.max_connections.try_into().unwrap_or(usize::MAX >> 3),
    ));
    let graceful = GracefulShutdown::new();
    let connections = Connections {
        router,
        limits,
        proxies: Arc::new(proxies),
        stopped: stopped.clone(),
    };
    loop {
        // A slot first: when all are taken, clients wait in the listen queue.
        let accepted = tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        if let Some((stream, peer, slot)) = accepted {
            connections.serve(stream, peer, Some(slot), &graceful);
        }
    }
    let end = Instant::now()
        .checked_add(limits.drain)
        .unwrap_or_else(Instant::now);
    // Who had connected is served; who has not yet is refused, and may go to another instance.
    let _ = timeout(LAST_CALL, async {
        while let Ok(Ok((stream, peer))) = timeout(NEXT_OF_LAST, listener.accept()).await {
            connections.serve(stream, peer, None, &graceful);
        }
    })
    .await;
    drop(listener);
    let quiet = Instant::now()
        .checked_add(QUIET)
        .map_or(end, |quiet| quiet.min(end));
    let _ = timeout_at(quiet, slots.acquire_many(limits.max_connections)).await;
    if timeout_at(end, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight when the time to drain ended");
    }
}

struct Connections {
    router: Router,
    limits: Limits,
    proxies: Arc<Proxies>,
    stopped: watch::Receiver<bool>,
}

impl Connections {
    /// Serves one in the background.
    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        slot: Option<OwnedSemaphorePermit>,
        graceful: &GracefulShutdown,
    ) {
        let _ = stream.set_nodelay(true);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS);
        let inner = TowerToHyperService::new(self.router.clone());
        let (proxies, stopped) = (Arc::clone(&self.proxies), self.stopped.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let client = proxies.client(peer.ip(), request.headers());
            request.extensions_mut().insert(client);
            // Of a request with two lengths only one is known here; others may have read the other one, and then
            // what follows is no request but part of this one.
            let last = request.headers().contains_key(TRANSFER_ENCODING);
            let answer = inner.call(request);
            let stopped = stopped.clone();
            async move {
                let mut response = answer.await?;
                if last || *stopped.borrow() {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let stream = StallLimit::new(stream, self.limits.header_timeout);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let open = metrics::gauge!(telemetry::metrics::HTTP_CONNECTIONS);
            open.increment(1);
            if let Err(error) = connection.await {
                tracing::debug!(cause = %error, "connection ended");
            }
            open.decrement(1);
            drop(slot);
        });
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            tracing::warn!(cause = %error, "accept failed");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
