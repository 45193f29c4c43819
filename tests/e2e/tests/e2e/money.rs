//! Money under random traffic, while things go wrong.

use e2e::money::{Dice, Fault, Market};
use e2e::{Turn, eventually};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use twistctl::platform::Part;

fn setting(name: &str, otherwise: usize) -> usize {
    let set = std::env::var(name).ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(otherwise)
}

/// Lets people do `acts` things each; meanwhile `first` happens, and then one of `faults` after the other until everybody is done. Then
/// everything must add up.
async fn storm(acts: usize, first: Option<Fault>, faults: &[Fault]) {
    let people = setting("TWIST_E2E_SOAK_PEOPLE", 8);
    let mut turn = Turn::take().await;
    let market = Arc::new(Market::open(&turn, people, (people / 10).clamp(2, 10)).await);
    let busy = Arc::new(AtomicUsize::new(people));
    let mut crowd = tokio::task::JoinSet::new();
    for (number, person) in market.people.iter().enumerate() {
        let (market, person, busy) = (market.clone(), person.clone(), busy.clone());
        crowd.spawn(async move {
            let mut dice = Dice::new(u64::try_from(number).unwrap());
            for _ in 0..acts {
                person.act(&mut dice, &market.pools, &market.operator).await;
            }
            busy.fetch_sub(1, Ordering::SeqCst);
        });
    }
    let (mut happened, mut checked) = (0, 0);
    if let Some(fault) = first {
        fault.happen(&mut turn).await;
    }
    // Each at least once, however soon everybody is done.
    for fault in faults.iter().cycle() {
        fault.happen(&mut turn).await;
        happened += 1;
        if happened % faults.len() == 0 {
            turn.assert_ledger().await;
            checked += 1;
            if busy.load(Ordering::SeqCst) == 0 {
                break;
            }
        }
        // Somebody who failed ends the test at once.
        while let Some(ended) = crowd.try_join_next() {
            ended.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    while let Some(ended) = crowd.join_next().await {
        ended.unwrap();
    }
    eventually("every approved payout is paid", || async {
        let day_one = "SELECT count(*) FROM schedule WHERE name = 'auto_payout' \
                       AND (due_at <= clock_timestamp() OR lease_by IS NOT NULL)";
        let approved = "SELECT count(*) FROM payouts WHERE state = 'approved'";
        turn.number(day_one).await + turn.number(approved).await == 0
    })
    .await;
    turn.assert_ledger().await;
    market.assert_everybody_has_what_they_were_told().await;
    market.assert_pools_paid_what_they_were_given().await;
    let (mut done, mut refused) = (0, 0);
    for person in &market.people {
        let book = person.book();
        done += book.done;
        refused += book.refused;
    }
    let paid = "SELECT count(*) FROM payouts WHERE state = 'finalized'";
    let paid = turn.number(paid).await;
    assert!(paid > 0, "nobody was paid");
    println!(
        "{done} effects, {refused} refusals, {happened} faults, {checked} checks while it went on, {paid} payouts paid"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_unit_is_lost_or_made_while_what_moves_it_is_killed() {
    let faults = [
        Fault::Killed(Part::Settlement),
        Fault::SessionEnded,
        Fault::DayOne,
        Fault::Killed(Part::Api),
        Fault::BackendKilled,
    ];
    storm(setting("TWIST_E2E_SOAK_ACTS", 20), None, &faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_unit_is_lost_or_made_while_redis_forgets_repeats_and_goes_away() {
    let away = setting("TWIST_E2E_SOAK_AWAY_SECONDS", 2);
    let away = Duration::from_secs(away.try_into().unwrap());
    let faults = [
        Fault::Repeated,
        Fault::Flushed,
        Fault::DayOne,
        Fault::Poisoned,
        Fault::RedisAway(Duration::from_secs(1)),
        Fault::PostgresRestarted,
    ];
    let acts = setting("TWIST_E2E_SOAK_ACTS", 20).min(200);
    storm(acts, Some(Fault::RedisAway(away)), &faults).await;
}
