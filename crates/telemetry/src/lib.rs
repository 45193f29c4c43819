//! Structured logs, redaction and metric names.
