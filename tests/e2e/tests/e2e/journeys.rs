//! J1, J2 and J3.

use e2e::Turn;
use twistctl::smoke::{Outcome, walk};

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_journeys_passes() {
    let turn = Turn::take().await;
    let reports = walk(&turn.target(), |_| {}).await;
    let bad: Vec<_> = reports
        .iter()
        .filter(|report| !matches!(report.outcome, Outcome::Passed(_)))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(reports.len() >= 24, "{} steps", reports.len());
    turn.assert_ledger().await;
}
