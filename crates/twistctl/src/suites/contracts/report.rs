//! What schemathesis says that it did.

use crate::CtlError;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// Requests that were judged.
    pub(super) cases: u64,
    /// Operations that were tried.
    pub(super) operations: u64,
}

/// Reads the report of a run.
pub(super) fn read(path: &Path) -> Result<Counted, CtlError> {
    let text = fs::read_to_string(path).map_err(CtlError::io("read", path))?;
    Ok(count(&serde_json::from_str(&text).unwrap_or_default()))
}

fn count(report: &Value) -> Counted {
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    Counted {
        cases: number("/summary/test_cases/total"),
        operations: number("/summary/operations/tested"),
    }
}
