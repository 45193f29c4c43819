//! Takes steps and remembers how they went.

use crate::smoke::Environment;
use serde::Serialize;
use std::time::Instant;

/// Where a step may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tag {
    /// Needs this machine's processes, or would disturb others.
    LocalOnly,
    /// Writes.
    Staging,
    /// Reads, or is refused.
    ProductionSafe,
}

impl Tag {
    /// As in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalOnly => "local-only",
            Self::Staging => "staging",
            Self::ProductionSafe => "production-safe",
        }
    }
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "outcome", content = "detail")]
pub enum Outcome {
    /// As it should; with what was seen.
    Passed(String),
    /// Not as it should.
    Failed(String),
    /// It was not taken.
    Skipped(String),
}

/// One step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// `J3.5`.
    pub id: &'static str,
    /// What must hold.
    pub title: &'static str,
    /// Where it may be taken.
    pub tag: Tag,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long it took.
    pub milliseconds: u64,
}

/// A step that cannot be taken because an earlier one gave nothing to go on with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) tag: Tag,
}

pub(crate) struct Recorder<W> {
    environment: Environment,
    watch: W,
    reports: Vec<StepReport>,
}

impl<W: FnMut(&StepReport)> Recorder<W> {
    pub(crate) const fn new(environment: Environment, watch: W) -> Self {
        Self {
            environment,
            watch,
            reports: Vec::new(),
        }
    }

    /// Takes a step: `work` gives what later steps need and a few words on what was seen.
    pub(crate) async fn take<T>(
        &mut self,
        step: Step,
        work: impl Future<Output = Result<(T, String), String>>,
    ) -> Option<T> {
        if !self.environment.allows(step.tag) {
            self.record(
                step,
                Outcome::Skipped(format!("{} step", step.tag.name())),
                0,
            );
            return None;
        }
        let started = Instant::now();
        let result = work.await;
        let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok((value, seen)) => {
                self.record(step, Outcome::Passed(seen), took);
                Some(value)
            }
            Err(why) => {
                self.record(step, Outcome::Failed(why), took);
                None
            }
        }
    }

    /// Takes a step that needs what an earlier one gave.
    pub(crate) async fn take_with<N, T, F>(
        &mut self,
        step: Step,
        needed: Option<N>,
        work: impl FnOnce(N) -> F,
    ) -> Option<T>
    where
        F: Future<Output = Result<(T, String), String>>,
    {
        if let Some(needed) = needed {
            self.take(step, work(needed)).await
        } else {
            let why = "an earlier step gave nothing to go on with";
            self.record(step, Outcome::Skipped(why.into()), 0);
            None
        }
    }

    pub(crate) fn into_reports(self) -> Vec<StepReport> {
        self.reports
    }

    fn record(&mut self, step: Step, outcome: Outcome, milliseconds: u64) {
        let report = StepReport {
            id: step.id,
            title: step.title,
            tag: step.tag,
            outcome,
            milliseconds,
        };
        (self.watch)(&report);
        self.reports.push(report);
    }
}
