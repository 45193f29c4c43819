//! Very many VAUs by the batch, from many devices and addresses, under the default caps, while the backend and the
//! edge are killed: what was answered as accepted is recorded and paid exactly once, and nothing else is.

use client::Wallet;
use domain::VauId;
use domain::reward::DAILY_EMISSION_CAP;
use domain::vau::MAX_PER_DEVICE_PER_DAY;
use e2e::{Addresses, Sender, Turn};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use twistctl::platform::Part;

const IN_FLIGHT: usize = 16;
const DEVICES_A_USER: usize = 4;
/// Rows read at a time.
const PAGE: usize = 20_000;
/// Without any progress of the deliveries for this long, something is lost.
const PATIENCE: Duration = Duration::from_mins(3);

fn vaus() -> usize {
    let set = std::env::var("TWIST_E2E_EDGE_VAUS").ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(4_000)
}

/// How much of it there is.
struct Size {
    vaus: usize,
    batch: usize,
    devices: usize,
    /// What one of the devices tries beyond its share.
    greedy: usize,
}

impl Size {
    fn of(vaus: usize) -> Self {
        let large = vaus >= 50_000;
        let devices = (vaus / 6_250).clamp(8, 400);
        Self {
            vaus,
            batch: if large { 100 } else { 20 },
            devices,
            greedy: if vaus >= 500_000 { 3_000 } else { 0 },
        }
    }

    /// Batches that the device at `place` sends.
    fn batches(&self, place: usize) -> usize {
        let more = if place == 0 { self.greedy } else { 0 };
        (self.vaus / self.devices + more).div_ceil(self.batch)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vau_of_a_batch_is_paid_once_while_backend_and_edge_are_killed() {
    let size = Size::of(vaus());
    // Of very many, most still wait for their turn after a while; sending those again would be a load of its own.
    let resend = if size.batch == 100 { "60000" } else { "5000" };
    let mut turn = Turn::alone("edge-soak", &[("RESEND_AFTER_MS", resend)]);
    let senders = senders(&turn, size.devices).await;
    let (sent, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let addresses = Arc::new(Addresses::default());
    let mut crowd = send(senders, &size, &sent, &addresses);
    for (place, part) in [Part::Api, Part::Edge, Part::Api, Part::Edge, Part::Api]
        .into_iter()
        .enumerate()
    {
        let wanted = size.vaus * (place + 1) / 6;
        while sent.load(Ordering::SeqCst) < wanted {
            // Somebody who failed ends the test at once.
            if let Some(ended) = crowd.try_join_next() {
                panic!("a device was done too early: {:?}", ended.map(drop));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        turn.kill(part);
        tokio::time::sleep(Duration::from_millis(500)).await;
        turn.start(part);
    }
    let senders = crowd.join_all().await;
    let took = began.elapsed();
    let expected: usize = senders.iter().map(|it| it.told.accepted.len()).sum();
    delivered(&turn, expected).await;
    let delivered_in = began.elapsed();
    let rate = |took: Duration| expected as u128 * 1_000 / took.as_millis().max(1);
    println!(
        "{expected} VAUs of {} devices from {} addresses: answered in {:.0?}, {}/s; all in the ledger after {:.0?}, {}/s; \
         {} batches sent again, {} VAUs accepted whose first answer was lost, {} beyond their device's day",
        senders.len(),
        addresses.count(),
        took,
        rate(took),
        delivered_in,
        rate(delivered_in),
        senders.iter().map(|it| it.told.again).sum::<u64>(),
        senders
            .iter()
            .map(|it| it.told.accepted_unheard)
            .sum::<u64>(),
        senders.iter().map(|it| it.told.beyond.len()).sum::<usize>(),
    );
    assert_recorded(&turn, &senders).await;
    assert_paid(&turn, &senders).await;
    assert_within_the_caps(&turn, &senders, size.greedy > 0).await;
    turn.assert_ledger().await;
}

/// Signed-in users with their devices.
async fn senders(turn: &Turn, devices: usize) -> Vec<Sender> {
    let mut senders = Vec::new();
    while senders.len() < devices {
        let client = turn.client();
        let session = client.sign_in(&Wallet::generate().unwrap()).await.unwrap();
        for _ in 0..DEVICES_A_USER.min(devices - senders.len()) {
            senders.push(Sender::new(client.clone(), session.clone()).await);
        }
    }
    senders
}

/// Each device hands its share in, a few of them at a time.
fn send(
    senders: Vec<Sender>,
    size: &Size,
    sent: &Arc<AtomicUsize>,
    addresses: &Arc<Addresses>,
) -> JoinSet<Sender> {
    let places = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut crowd = JoinSet::new();
    for (place, mut sender) in senders.into_iter().enumerate() {
        let (batches, batch) = (size.batches(place), size.batch);
        let (sent, addresses, places) = (sent.clone(), addresses.clone(), places.clone());
        crowd.spawn(async move {
            for _ in 0..batches {
                let _place = places.acquire().await.unwrap();
                sender.hand_in(batch, &addresses).await;
                sent.fetch_add(batch, Ordering::SeqCst);
            }
            sender
        });
    }
    crowd
}

/// Waits until the backend has as many as were accepted; more is wrong, and found out later.
async fn delivered(turn: &Turn, expected: usize) {
    let expected = i64::try_from(expected).unwrap();
    let (mut seen, mut since) = (-1, Instant::now());
    loop {
        let now = turn.number("SELECT count(*) FROM vaus").await;
        if now >= expected {
            return;
        }
        if now > seen {
            (seen, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "stuck at {seen} of {expected}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What is in the database is what was answered: the same VAUs, each once, each for the same.
async fn assert_recorded(turn: &Turn, senders: &[Sender]) {
    let mut missing: BTreeMap<String, u64> = BTreeMap::new();
    for sender in senders {
        let accepted = sender.told.accepted.iter();
        missing.extend(accepted.map(|(id, earned)| (id.to_string(), earned.units())));
    }
    let database = turn.database().await;
    let mut after = 0;
    loop {
        let rows = page(&database, after).await;
        for (seq, id, earned) in &rows {
            let answered = missing.remove(id);
            assert_eq!(answered, Some(*earned), "{id} is in the database");
            after = *seq;
        }
        if rows.len() < PAGE {
            break;
        }
    }
    assert_eq!(missing.len(), 0, "accepted and not recorded: {missing:?}");
    let beyond: BTreeSet<&VauId> = senders.iter().flat_map(|it| &it.told.beyond).collect();
    assert!(
        senders
            .iter()
            .all(|it| it.told.accepted.keys().all(|id| !beyond.contains(id)))
    );
    let set_aside = turn.number("SELECT count(*) FROM vau_quarantine").await;
    assert_eq!(set_aside, 0, "set aside");
}

/// The next rows: place, VAU, what it earned.
async fn page(database: &DatabaseConnection, after: i64) -> Vec<(i64, String, u64)> {
    let sql = format!(
        "SELECT seq, vau_id, earned FROM vaus WHERE seq > {after} ORDER BY seq LIMIT {PAGE}"
    );
    let rows = database
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let earned: i64 = row.try_get_by_index(2).unwrap();
            (
                row.try_get_by_index(0).unwrap(),
                row.try_get_by_index(1).unwrap(),
                earned.try_into().unwrap(),
            )
        })
        .collect()
}

/// Everybody's balance, and all rewards together, are what was promised.
async fn assert_paid(turn: &Turn, senders: &[Sender]) {
    let mut users = BTreeMap::new();
    for sender in senders {
        let user = users.entry(sender.session.wallet.to_string());
        user.or_insert((&sender.session, 0)).1 += sender.told.earned();
    }
    let client = turn.client();
    for (wallet, (session, earned)) in &users {
        let balance = client.balance(session).await.unwrap();
        assert_eq!(balance.available.units(), *earned, "{wallet}");
    }
    let promised: u64 = users.values().map(|(_, earned)| earned).sum();
    let credited = turn
        .number(
            "SELECT coalesce(sum(e.amount), 0)::bigint FROM ledger_entry e \
             JOIN ledger_tx t ON t.id = e.tx_id JOIN ledger_account a ON a.id = e.account_id \
             WHERE t.kind = 'vau_reward' AND e.side = 'credit' AND a.kind = 'user:available'",
        )
        .await;
    assert_eq!(credited, i64::try_from(promised).unwrap(), "rewards");
}

/// No device and no day got more than it may.
async fn assert_within_the_caps(turn: &Turn, senders: &[Sender], greedy: bool) {
    let busiest = turn
        .number(
            "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM vaus \
             GROUP BY device_id, (accepted_at AT TIME ZONE 'UTC')::date) AS counts",
        )
        .await;
    assert!(busiest <= i64::from(MAX_PER_DEVICE_PER_DAY), "{busiest}");
    let dearest = turn
        .number(
            "SELECT coalesce(max(n), 0)::bigint FROM (SELECT sum(earned) AS n FROM vaus \
             GROUP BY (accepted_at AT TIME ZONE 'UTC')::date) AS sums",
        )
        .await;
    assert!(dearest <= i64::try_from(DAILY_EMISSION_CAP.units()).unwrap());
    let days = turn
        .number("SELECT count(DISTINCT (accepted_at AT TIME ZONE 'UTC')::date) FROM vaus")
        .await;
    if greedy && days == 1 {
        assert_eq!(busiest, i64::from(MAX_PER_DEVICE_PER_DAY));
        assert!(senders.iter().any(|it| !it.told.beyond.is_empty()));
    }
}
