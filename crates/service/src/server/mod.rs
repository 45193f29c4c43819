//! Serving: the application, its two listeners, and a stop that drops nothing.

mod app;
mod listener;
mod ops;
mod problems;
mod shell;

pub(crate) use app::ALIAS;
pub use app::{About, App};
pub(crate) use problems::carry_error;

use crate::config::Listen;
use crate::health::ReadyChecks;
use axum::Router;
use listener::Limits;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Limits of the HTTP server.
#[derive(Debug, Clone, Copy)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: Listen,
    /// A request that takes longer is answered 503.
    pub request_timeout: Duration,
    /// A connection that has not sent a whole request head by then is closed. Also how long a connection
    /// may rest between two requests.
    pub header_timeout: Duration,
    /// Connections at a time; more wait in the listen queue.
    pub max_connections: usize,
    /// How long a stop waits for requests in flight.
    pub drain: Duration,
}

impl ServerConfig {
    /// The usual limits.
    pub const fn new(listen: Listen) -> Self {
        Self {
            listen,
            request_timeout: Duration::from_secs(15),
            header_timeout: Duration::from_secs(20),
            max_connections: 4_096,
            drain: Duration::from_secs(20),
        }
    }
}

/// How often samples are folded into the histograms, scraped or not.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// A started server. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where the public routes are; the port that was taken when 0 was asked for.
    pub public: SocketAddr,
    /// Where metrics and readiness detail are.
    pub ops: SocketAddr,
    stop: watch::Sender<bool>,
    checks: ReadyChecks,
    public_task: JoinHandle<()>,
    ops_task: JoinHandle<()>,
    ops_stop: watch::Sender<bool>,
    upkeep_task: JoinHandle<()>,
}

impl Running {
    /// Stops: not ready any more, no new connections, requests in flight are finished (for as long as
    /// [`ServerConfig::drain`] allows), then the ops port closes.
    pub async fn stop(self) {
        self.checks.drain();
        self.stop.send_replace(true);
        let _ = self.public_task.await;
        self.ops_stop.send_replace(true);
        let _ = self.ops_task.await;
        self.upkeep_task.abort();
    }
}

/// Binds both ports and serves `app` in the background.
pub async fn start(app: App, config: ServerConfig) -> io::Result<Running> {
    telemetry::metrics::install();
    let public = TcpListener::bind(config.listen.public).await?;
    let ops = TcpListener::bind(config.listen.ops).await?;
    let (public_address, ops_address) = (public.local_addr()?, ops.local_addr()?);
    let checks = app.checks.clone();
    let limits = Limits {
        header_timeout: config.header_timeout,
        max_connections: config.max_connections,
        drain: config.drain,
    };
    let router: Router = shell::wrap(app.router, config.request_timeout);
    let ops_router = shell::wrap(ops::routes(checks.clone()), config.request_timeout);
    let (stop, stopped) = watch::channel(false);
    let (ops_stop, ops_stopped) = watch::channel(false);
    let public_task = tokio::spawn(listener::serve(public, router, limits, stopped));
    let ops_limits = Limits {
        max_connections: 64,
        drain: Duration::from_secs(1),
        ..limits
    };
    let ops_task = tokio::spawn(listener::serve(ops, ops_router, ops_limits, ops_stopped));
    tracing::info!(address = %public_address, ops_address = %ops_address, "listening");
    Ok(Running {
        public: public_address,
        ops: ops_address,
        stop,
        checks,
        public_task,
        ops_task,
        ops_stop,
        upkeep_task: tokio::spawn(keep_metrics()),
    })
}

async fn keep_metrics() {
    let mut ticks = tokio::time::interval(METRICS_UPKEEP);
    loop {
        ticks.tick().await;
        telemetry::metrics::upkeep();
    }
}

/// [`start`], then [`Running::stop`] once `shutdown` is done.
pub async fn serve(
    app: App,
    config: ServerConfig,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let running = start(app, config).await?;
    shutdown.await;
    tracing::info!("stopping");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Done when the process is asked to end (SIGTERM or SIGINT).
pub async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("no signal handlers; only SIGKILL ends this process");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
