//! Processes killed with accepted VAUs on their way.

use e2e::{Tally, Turn, Walker};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use twistctl::platform::Part;

fn count() -> usize {
    std::env::var("TWIST_E2E_VAUS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(500)
}

async fn until_accepted(accepted: &Mutex<Tally>, wanted: usize) {
    while accepted.lock().unwrap().0.len() < wanted {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Exactly the accepted VAUs are counted, each once, each for what was promised.
async fn assert_counted_once(turn: &Turn, walker: &Walker, tally: &Tally) {
    walker.balance_becomes(tally).await;
    let device = walker.device.id();
    let counted = turn
        .number(&format!(
            "select count(*) from vaus where device_id = '{device}'"
        ))
        .await;
    assert_eq!(counted, i64::try_from(tally.0.len()).unwrap());
    let set_aside = turn
        .number(&format!(
            "select count(*) from vau_quarantine where convert_from(item, 'UTF8') like '%{device}%'"
        ))
        .await;
    assert_eq!(set_aside, 0);
    turn.assert_ledger().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_killed_with_vaus_in_flight_counts_each_of_them_once() {
    let mut turn = Turn::take().await;
    let walker = Walker::new(turn.client()).await;
    let accepted = Arc::new(Mutex::new(Tally::default()));
    let work = {
        let (walker, accepted) = (Arc::clone(&walker), Arc::clone(&accepted));
        tokio::spawn(async move { walker.submit_many(count(), accepted).await })
    };
    for part in [3, 2] {
        until_accepted(&accepted, count() / part).await;
        turn.kill(Part::Api);
        turn.start(Part::Api);
    }
    work.await.unwrap();
    let tally = accepted.lock().unwrap().clone();
    assert!(tally.0.len() >= count());
    assert_counted_once(&turn, &walker, &tally).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_killed_with_unacknowledged_segments_delivers_them_when_it_is_back() {
    let mut turn = Turn::take().await;
    let walker = Walker::new(turn.client()).await;
    let accepted = Arc::new(Mutex::new(Tally::default()));
    // The edge learns the device while the api can still be asked.
    walker.submit_many(1, Arc::clone(&accepted)).await;
    turn.stop(Part::Api);
    walker.submit_many(60, Arc::clone(&accepted)).await;
    turn.kill(Part::Edge);
    turn.start(Part::Edge);
    turn.start(Part::Api);
    let tally = accepted.lock().unwrap().clone();
    assert_counted_once(&turn, &walker, &tally).await;
}
