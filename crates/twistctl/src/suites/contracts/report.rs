//! What schemathesis says that it did.

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
    /// Whether the run came to its end and tried every operation of the document.
    pub(super) whole: bool,
}

/// Reads the report of a run; one that cannot be read counts nothing.
pub(super) fn read(path: &Path) -> Counted {
    let text = fs::read_to_string(path).unwrap_or_default();
    count(&serde_json::from_str(&text).unwrap_or_default())
}

fn count(report: &Value) -> Counted {
    let number = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64);
    let tested = number("/operations/tested");
    Counted {
        cases: number("/test_cases/generated").unwrap_or(0),
        operations: tested.unwrap_or(0),
        whole: report.get("complete") == Some(&Value::Bool(true))
            && tested.is_some()
            && tested == number("/operations/total"),
    }
}

#[cfg(test)]
mod tests {
    use super::count;
    use serde_json::json;

    #[test]
    fn a_run_that_left_an_operation_out_is_not_taken_for_a_whole_one() {
        let report = |tested: u64, complete: bool| {
            json!({
                "complete": complete,
                "operations": { "tested": tested, "total": 9 },
                "test_cases": { "generated": 2_100 },
            })
        };
        let good = count(&report(9, true));
        assert_eq!((good.cases, good.operations, good.whole), (2_100, 9, true));
        assert!(!count(&report(8, true)).whole);
        assert!(!count(&report(9, false)).whole);
        assert!(!count(&json!(null)).whole);
    }
}
