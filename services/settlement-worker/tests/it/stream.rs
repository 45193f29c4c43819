//! Events of the tests, written without a pause, and what arrives of them.

use crate::world::World;
use bus::streams::{Reader, Streams as _};
use bus::{Envelope, Event, Fact, RedisStreams, Topic, publish};
use sea_orm::{DatabaseConnection, TransactionTrait as _};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

const AREA: &str = "test";
const AGGREGATES: i64 = 5;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) number: i64,
}

impl Fact for Counted {
    const TOPIC: Topic = Topic::new(AREA, "counted", 1);
}

/// Publishes one event; says whether the transaction committed.
pub(crate) async fn write(db: &DatabaseConnection, number: i64) -> bool {
    let Ok(transaction) = db.begin().await else {
        return false;
    };
    let aggregate = format!("counter:{}", number % AGGREGATES);
    let event = Event::new(aggregate, &Counted { number }).unwrap();
    publish(&transaction, event).await.is_ok() && transaction.commit().await.is_ok()
}

/// Writes events for as long as it is told to.
pub(crate) struct Writer {
    goes_on: Arc<AtomicBool>,
    written: Arc<AtomicI64>,
    task: JoinHandle<()>,
}

impl Writer {
    pub(crate) fn start(db: &DatabaseConnection) -> Self {
        let (goes_on, written) = (Arc::new(AtomicBool::new(true)), Arc::<AtomicI64>::default());
        let (on, count, db) = (Arc::clone(&goes_on), Arc::clone(&written), db.clone());
        let task = tokio::spawn(async move {
            while on.load(Ordering::SeqCst) {
                // A number whose transaction failed is tried again: of a commit whose answer got lost there are two.
                if write(&db, count.load(Ordering::SeqCst)).await {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self {
            goes_on,
            written,
            task,
        }
    }

    pub(crate) fn written(&self) -> i64 {
        self.written.load(Ordering::SeqCst)
    }

    /// Waits until `more` events are written.
    pub(crate) async fn writes(&self, more: i64) {
        let wanted = self.written() + more;
        crate::world::until("written", async || self.written() >= wanted).await;
    }

    /// Ends it; how many numbers it wrote.
    pub(crate) async fn stop(self) -> i64 {
        self.goes_on.store(false, Ordering::SeqCst);
        self.task.await.unwrap();
        self.written.load(Ordering::SeqCst)
    }
}

/// Everything that lies in the stream of an area, in its order.
pub(crate) async fn arrived(redis_url: &str, area: &str) -> Vec<Envelope> {
    let streams = RedisStreams::connect(redis_url, Duration::from_secs(2)).unwrap();
    let reader = Reader {
        group: uuid::Uuid::new_v4().to_string(),
        name: "tests".to_owned(),
    };
    crate::world::until("a group of the tests", async || {
        streams.make_group(&reader.group, area).await.is_ok()
    })
    .await;
    let mut all = Vec::new();
    loop {
        let block = Duration::from_millis(100);
        let more = streams
            .read(&reader, &[area.to_owned()], 10_000, block)
            .await;
        // Reads have a connection of their own, which may not be there yet.
        let Ok(more) = more else {
            tokio::time::sleep(block).await;
            continue;
        };
        if more.is_empty() {
            return all;
        }
        all.extend(more.iter().map(|delivery| {
            serde_json::from_str::<Envelope>(delivery.envelope.as_deref().unwrap()).unwrap()
        }));
    }
}

/// [`arrived`] without the repeats: whoever is killed or starts anew may have an event published again.
pub(crate) async fn first_arrived(redis_url: &str, area: &str) -> Vec<Envelope> {
    let mut ids = BTreeSet::new();
    let all = arrived(redis_url, area).await.into_iter();
    all.filter(|event| ids.insert(event.event_id)).collect()
}

impl World {
    /// Waits until all events are published, and fails when one is lost or the first arrivals of an aggregate's events
    /// are out of their order. How many arrivals were repeats.
    pub(crate) async fn assert_all_arrived_in_order(&self, written: i64) -> usize {
        self.until_count("SELECT count(*) FROM outbox WHERE published_at IS NULL", 0)
            .await;
        let arrived = arrived(&self.redis_url, AREA).await;
        let mut seen = BTreeMap::<&str, Vec<i64>>::new();
        let mut ids = BTreeSet::new();
        let mut numbers = BTreeSet::new();
        for event in &arrived {
            numbers.insert(event.fact::<Counted>().unwrap().number);
            if ids.insert(event.event_id) {
                seen.entry(&event.aggregate)
                    .or_default()
                    .push(event.aggregate_seq);
            }
        }
        let lost: Vec<i64> = (0..written).filter(|n| !numbers.contains(n)).collect();
        assert!(lost.is_empty(), "of {written} lost: {lost:?}");
        for (aggregate, order) in seen {
            let right: Vec<i64> = (1..).take(order.len()).collect();
            assert_eq!(order, right, "the order of {aggregate}");
        }
        arrived.len() - ids.len()
    }
}
