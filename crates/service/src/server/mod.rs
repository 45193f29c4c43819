//! Serving: the application, its two listeners, and a stop that drops nothing.

mod app;
mod client;
mod docs;
mod document;
mod listener;
mod ops;
mod origins;
mod problems;
mod shell;
mod slots;
mod stall;

pub(crate) use app::ALIAS;
pub use app::{About, App};
pub use client::ClientAddress;
pub(crate) use problems::carry_error;
pub(crate) use slots::Overloaded;

use crate::config::{HttpConfig, Listen};
use crate::health::ReadyChecks;
use axum::Router;
use client::Proxies;
use listener::Limits;
use shell::Shell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Where to serve, and how.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where to listen.
    pub listen: Listen,
    /// How requests are taken.
    pub http: HttpConfig,
}

impl ServerConfig {
    /// The usual way to take requests.
    pub fn new(listen: Listen) -> Self {
        Self {
            listen,
            http: HttpConfig::default(),
        }
    }
}

/// Connections and requests of the ops port at a time.
const OPS_MAX: u32 = 64;
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
    /// [`HttpConfig::drain_seconds`] allows), then the ops port closes.
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
    let http = &config.http;
    let limits = Limits {
        header_timeout: http.header_timeout(),
        max_connections: http.max_connections,
        drain: http.drain(),
    };
    let router: Router = shell::wrap(app.router, Shell::new(http, Some(app.gate)));
    let router = match app.around {
        Some(around) => around(router),
        None => router,
    };
    let ops_http = HttpConfig {
        max_in_flight: OPS_MAX,
        request_timeout_ms: http.request_timeout_ms,
        ..HttpConfig::default()
    };
    let ops_router = shell::wrap(ops::routes(checks.clone()), Shell::new(&ops_http, None));
    let (stop, stopped) = watch::channel(false);
    let (ops_stop, ops_stopped) = watch::channel(false);
    let proxies = Proxies::new(http.proxies(), http.cf_connecting_ip);
    let public_task = tokio::spawn(listener::serve(public, router, limits, proxies, stopped));
    let ops_limits = Limits {
        max_connections: OPS_MAX,
        drain: Duration::from_secs(1),
        ..limits
    };
    let ops_task = tokio::spawn(listener::serve(
        ops,
        ops_router,
        ops_limits,
        Proxies::default(),
        ops_stopped,
    ));
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
