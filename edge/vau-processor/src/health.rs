//! `GET /health`: whether VAUs can be taken in and passed on.

use crate::shard;
use durable_objects::{Bindings, log_error};
use edge_core::SettingsError;
use edge_core::shard::Status;
use serde::Serialize;

/// The route.
pub(crate) const PATH: &str = "/health";

/// The body.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    status: &'static str,
    timestamp: String,
    checks: Vec<Check>,
}

#[derive(Debug, Serialize)]
struct Check {
    service: &'static str,
    status: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Status>,
}

impl Health {
    /// HTTP status.
    pub(crate) fn code(&self) -> u16 {
        if self.status == HEALTHY { 200 } else { 503 }
    }
}

const HEALTHY: &str = "healthy";

/// Looks at everything a VAU needs here. The backend is not asked: while it is away, VAUs wait.
pub(crate) async fn check(bindings: &Bindings, settings: Result<(), SettingsError>) -> Health {
    if let Err(error) = settings {
        log_error("the Worker is not configured", &error);
    }
    let status = shard::status(bindings).await;
    if let Err(error) = &status {
        log_error("the shard could not be asked", error);
    }
    let status = status.ok();
    let checks = vec![
        entry("configuration", settings.is_ok(), None),
        entry("durable-object", status.is_some(), None),
        entry("queue", bindings.queue().is_ok(), None),
        entry("delivery", status.is_some_and(|s| s.is_healthy()), status),
    ];
    let healthy = checks.iter().all(|check| check.status == HEALTHY);
    Health {
        status: word(healthy),
        timestamp: timestamp(),
        checks,
    }
}

fn entry(service: &'static str, healthy: bool, details: Option<Status>) -> Check {
    Check {
        service,
        status: word(healthy),
        timestamp: timestamp(),
        details,
    }
}

const fn word(healthy: bool) -> &'static str {
    if healthy { HEALTHY } else { "degraded" }
}

/// Now, RFC 3339.
fn timestamp() -> String {
    js_sys::Date::new_0().to_iso_string().into()
}
