//! The journeys of a user, step by step, against any environment.

mod check;
mod forge;
mod j1;
mod j2;
mod j3;
mod j4;
mod j5;
mod recorder;
mod report;
mod target;
mod traveller;

pub use recorder::{Outcome, StepReport, Tag};
pub(crate) use report::line;
pub use report::{json, table};
pub use target::{Environment, Local, Target};

use recorder::Recorder;

/// Walks J1 to J5; `watch` sees each step as it ends.
pub async fn walk(target: &Target, watch: impl FnMut(&StepReport) + Send) -> Vec<StepReport> {
    let mut recorder = Recorder::new(target.environment, watch);
    j1::walk(target, &mut recorder).await;
    j2::walk(target, &mut recorder).await;
    j3::walk(target, &mut recorder).await;
    j4::walk(target, &mut recorder).await;
    j5::walk(target, &mut recorder).await;
    recorder.into_reports()
}

/// Whether no step failed.
pub fn all_passed(reports: &[StepReport]) -> bool {
    !reports
        .iter()
        .any(|report| matches!(report.outcome, Outcome::Failed(_)))
}
