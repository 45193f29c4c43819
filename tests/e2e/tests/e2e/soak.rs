//! Journeys over and over, while parts are restarted.

use e2e::Turn;
use std::time::{Duration, Instant};
use twistctl::platform::Part;
use twistctl::smoke::{all_passed, table, walk};

#[tokio::test(flavor = "multi_thread")]
async fn journeys_pass_after_every_restart() {
    let seconds = std::env::var("TWIST_E2E_SOAK_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(10);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut turn = Turn::take().await;
    for part in Part::ALL.into_iter().cycle() {
        turn.stop(part);
        turn.start(part);
        e2e::eventually("every part is ready", || async {
            Part::ALL.iter().all(|part| turn.is_ready(*part))
        })
        .await;
        let reports = walk(&turn.target(), |_| {}).await;
        assert!(all_passed(&reports), "after {part:?}:\n{}", table(&reports));
        if Instant::now() > deadline {
            break;
        }
    }
    turn.assert_ledger().await;
}
