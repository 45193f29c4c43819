//! The shared connection, and making it anew.

use super::value::Param;
use crate::config::DatabaseConfig;
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement};

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(500);
/// How much later than the server an answer is given up: it has cancelled the statement by then.
const GRACE: Duration = Duration::from_millis(500);

/// A query was given up.
#[derive(Debug, thiserror::Error)]
#[error("the query took too long")]
pub(super) struct Slow;

/// Knows how to connect, and the connection.
#[derive(Debug)]
pub(super) struct Dialer {
    config: Config,
    patience: Duration,
    line: RwLock<Option<Arc<Line>>>,
    /// When the last attempt began.
    dialed: Mutex<Option<Instant>>,
}

struct Line {
    client: Client,
    statements: RwLock<HashMap<&'static str, Statement>>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Dialer {
    /// `None`: this connection cannot be made as the URL asks.
    pub(super) fn of(config: &DatabaseConfig, application_name: &'static str) -> Option<Self> {
        let mut to: Config = config.url.expose_secret().parse().ok()?;
        let plain = to.get_ssl_mode() == SslMode::Disable
            || (to.get_ssl_mode() == SslMode::Prefer && is_here(&to));
        if !plain {
            return None;
        }
        let limit = format!("-c statement_timeout={}", config.statement_timeout_ms);
        let options = match to.get_options() {
            Some(given) => format!("{given} {limit}"),
            None => limit,
        };
        to.ssl_mode(SslMode::Disable)
            .application_name(application_name)
            .connect_timeout(Duration::from_millis(config.acquire_timeout_ms))
            .options(options);
        Some(Self {
            config: to,
            patience: Duration::from_millis(config.statement_timeout_ms).saturating_add(GRACE),
            line: RwLock::default(),
            dialed: Mutex::default(),
        })
    }

    /// What the server says; `None` when it cannot be asked this way now.
    pub(super) async fn ask(
        self: &Arc<Self>,
        sql: &'static str,
        params: &[Param],
    ) -> Result<Option<Vec<Row>>, Slow> {
        let Some(line) = self.line() else {
            self.dial();
            return Ok(None);
        };
        match tokio::time::timeout(self.patience, line.ask(sql, params)).await {
            Ok(Ok(rows)) => Ok(Some(rows)),
            Ok(Err(error)) if error.code() == Some(&SqlState::QUERY_CANCELED) => Err(Slow),
            // The pool says what is wrong, if it is not this connection: the server may have been restarted.
            Ok(Err(_)) => {
                self.hang_up(&line);
                Ok(None)
            }
            Err(_) => {
                self.hang_up(&line);
                Err(Slow)
            }
        }
    }

    /// Connects in the background, unless that was tried a moment ago.
    pub(super) fn dial(self: &Arc<Self>) {
        let mut last = self.dialed.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        *last = Some(Instant::now());
        drop(last);
        let dialer = Arc::downgrade(self);
        let config = self.config.clone();
        tokio::spawn(async move {
            let (client, connection) = match config.connect(NoTls).await {
                Ok(connected) => connected,
                Err(error) => {
                    tracing::debug!(cause = %error, "no connection for reads");
                    return;
                }
            };
            let Some(dialer) = dialer.upgrade() else {
                return;
            };
            dialer.pick_up(client);
            drop(dialer);
            // Ends when the client is dropped, or with an error that every query on it gets too.
            let _ = connection.await;
        });
    }

    fn pick_up(&self, client: Client) {
        let line = Line {
            client,
            statements: RwLock::default(),
        };
        let mut slot = self.line.write().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(Arc::new(line));
    }

    fn line(&self) -> Option<Arc<Line>> {
        let slot = self.line.read().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref()
            .filter(|line| !line.client.is_closed())
            .cloned()
    }

    /// The next read makes a new connection; those that are under way on this one end with it.
    fn hang_up(&self, line: &Arc<Line>) {
        let mut slot = self.line.write().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|it| Arc::ptr_eq(it, line)) {
            *slot = None;
        }
    }
}

impl Line {
    async fn ask(&self, sql: &'static str, params: &[Param]) -> Result<Vec<Row>, Error> {
        let params: Vec<&(dyn ToSql + Sync)> = params
            .iter()
            .map(|param| param as &(dyn ToSql + Sync))
            .collect();
        if let Some(statement) = self.known(sql) {
            match self.client.query(&statement, &params).await {
                // A migration has changed what it answers, or somebody has made the server forget it.
                Err(error) if is_stale(&error) => self.forget(sql),
                answer => return answer,
            }
        }
        let statement = Box::pin(self.prepare(sql)).await?;
        self.client.query(&statement, &params).await
    }

    fn known(&self, sql: &str) -> Option<Statement> {
        let known = self
            .statements
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        known.get(sql).cloned()
    }

    fn forget(&self, sql: &str) {
        let mut known = self
            .statements
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.remove(sql);
    }

    async fn prepare(&self, sql: &'static str) -> Result<Statement, Error> {
        let statement = self.client.prepare(sql).await?;
        let mut known = self
            .statements
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry(sql).or_insert(statement).clone())
    }
}

fn is_stale(error: &Error) -> bool {
    let stale = [
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INVALID_SQL_STATEMENT_NAME,
    ];
    error.code().is_some_and(|code| stale.contains(code))
}

/// Whether the server is on this machine: nobody listens in between.
fn is_here(config: &Config) -> bool {
    let here = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|at| at.is_loopback())
        }
    };
    config.get_hosts().iter().all(here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_made(url: &str) -> bool {
        let config = DatabaseConfig {
            url: url.to_owned().into(),
            max_connections: 1,
            acquire_timeout_ms: 1,
            statement_timeout_ms: 1,
        };
        Dialer::of(&config, "test").is_some()
    }

    #[test]
    fn nothing_is_read_in_the_clear_from_another_machine_unless_the_url_says_so() {
        for url in [
            "postgres://u:p@127.0.0.1:5432/d",
            "postgres://u:p@localhost/d?sslmode=prefer",
            "postgres://u:p@[::1]/d",
            "postgres:///d?host=/run/postgresql",
            "postgres://u:p@db.example.org/d?sslmode=disable",
        ] {
            assert!(is_made(url), "{url}");
        }
        for url in [
            "postgres://u:p@db.example.org/d",
            "postgres://u:p@203.0.113.1/d?sslmode=prefer",
            "postgres://u:p@127.0.0.1/d?sslmode=require",
            "postgres://u:p@127.0.0.1,db.example.org/d",
            "postgres://u:p@localhost/d?hostaddr=203.0.113.1",
            "postgres://u:p@127.0.0.1/d?sslmode=verify-full",
            "nothing",
        ] {
            assert!(!is_made(url), "{url}");
        }
    }
}
