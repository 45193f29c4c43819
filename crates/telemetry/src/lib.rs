//! What a running service says about itself: one JSON line an event, and Prometheus metrics.
//!
//! Redaction is by construction. Request lines are made of the route's template, never of the path or
//! the body; headers pass an allow-list ([`redact::loggable`]); and a field whose name is that of a
//! secret is blanked by the writer, whoever logged it. Values that must not be shown are of the types of [`privacy`].

pub mod json;
pub mod metrics;
pub mod privacy;
pub mod redact;

use json::JsonLines;
use tracing_subscriber::{EnvFilter, Registry, layer::SubscriberExt as _};

/// The environment variable with the log filter (`info`, `service=debug,info`, …).
pub const LOG_ENV: &str = "TWIST_LOG";

/// Installs JSON logs on standard output and the metrics recorder, for the whole process.
///
/// A filter that cannot be read is replaced by `info`, with a warning. A second call does nothing, so
/// that tests may start several services in one process.
pub fn init(service_name: &'static str) {
    metrics::install();
    let wanted = std::env::var(LOG_ENV).unwrap_or_else(|_| "info".to_owned());
    let parsed = EnvFilter::try_new(&wanted);
    let unreadable = parsed.is_err();
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = Registry::default()
        .with(filter)
        .with(JsonLines::new(service_name, std::io::stdout));
    let installed = tracing::subscriber::set_global_default(subscriber).is_ok();
    if installed && unreadable {
        tracing::warn!(
            variable = LOG_ENV,
            "the log filter cannot be read; using info"
        );
    }
}
