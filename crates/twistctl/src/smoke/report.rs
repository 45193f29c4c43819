//! The journeys' result, for people and for programs.

use crate::smoke::{Outcome, StepReport, all_passed};
use serde_json::json;

/// One line a step.
pub fn table(reports: &[StepReport]) -> String {
    reports.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One step as a line.
pub(crate) fn line(report: &StepReport) -> String {
    let (mark, detail) = match &report.outcome {
        Outcome::Passed(seen) => ("✓", seen.clone()),
        Outcome::Failed(why) => ("✗", format!("FAILED: {why}")),
        Outcome::Skipped(why) => ("-", format!("skipped: {why}")),
    };
    let StepReport {
        id,
        title,
        tag,
        milliseconds,
        ..
    } = report;
    format!(
        "  {mark} {id:<5} {title:<58} {:<15} {milliseconds:>6} ms  {detail}",
        tag.name()
    )
}

/// `{"passed": …, "failed": …, "skipped": …, "steps": […]}`.
pub fn json(reports: &[StepReport]) -> String {
    let count = |wanted: fn(&Outcome) -> bool| {
        reports
            .iter()
            .filter(|report| wanted(&report.outcome))
            .count()
    };
    let value = json!({
        "ok": all_passed(reports),
        "passed": count(|outcome| matches!(outcome, Outcome::Passed(_))),
        "failed": count(|outcome| matches!(outcome, Outcome::Failed(_))),
        "skipped": count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        "steps": reports,
    });
    format!("{value:#}")
}
