//! What the tests share: a database with a place for effects, streams, a fact, a handler that counts.

use bus::streams::Streams;
use bus::{
    Consumer, ConsumerConfig, Envelope, Event, Fact, Handler, HandlerError, RedisStreams, Relay,
    RelayConfig, Stop, Stopper, Topic, publish,
};
use fred::interfaces::ClientLike as _;
use fred::types::{Builder, CustomCommand, Value};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait as _,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::{OwnPostgres, OwnRedis, TestDb};
use tokio::task::JoinHandle;
use uuid::Uuid;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) number: i64,
}

impl Fact for Counted {
    const TOPIC: Topic = Topic::new("test", "counted", 1);
}

pub(crate) const CONSUMER: &str = "counter";
pub(crate) const STREAM: &str = "twist:events:test";
/// Longer than anything takes that is not broken.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) db: DatabaseConnection,
    pub(crate) url: String,
    pub(crate) redis: OwnRedis,
    _test: Option<TestDb>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let test = TestDb::new().await;
        let owner = test.connect_as_owner().await;
        Self::with(
            test.connect().await,
            &owner,
            test.app_url.clone(),
            Some(test),
        )
        .await
    }

    /// With a database of its own, to stop and start.
    pub(crate) async fn on(postgres: &OwnPostgres) -> Self {
        let owner = TestDb::connect_to(&postgres.owner_url).await;
        let db = postgres.connect().await;
        Self::with(db, &owner, postgres.app_url.clone(), None).await
    }

    async fn with(
        db: DatabaseConnection,
        owner: &DatabaseConnection,
        url: String,
        test: Option<TestDb>,
    ) -> Self {
        // No key: an effect that is made twice is there twice.
        telemetry::init("bus");
        let sql =
            "CREATE TABLE effect (number bigint); GRANT SELECT, INSERT ON effect TO twist_app";
        owner.execute_unprepared(sql).await.unwrap();
        Self {
            db,
            url,
            redis: OwnRedis::new().await,
            _test: test,
        }
    }

    pub(crate) fn streams(&self) -> RedisStreams {
        RedisStreams::connect(&self.redis.url, Duration::from_secs(1)).unwrap()
    }

    /// Publishes one event in a transaction of its own.
    pub(crate) async fn publish(&self, number: i64) -> Uuid {
        self.try_publish(number).await.unwrap()
    }

    pub(crate) async fn try_publish(&self, number: i64) -> Result<Uuid, DbErr> {
        let transaction = self.db.begin().await?;
        let id = publish(&transaction, event(number))
            .await
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        transaction.commit().await?;
        Ok(id)
    }

    pub(crate) async fn publish_all(&self, numbers: std::ops::Range<i64>) {
        for number in numbers {
            self.publish(number).await;
        }
    }

    pub(crate) fn relay(&self) -> Running {
        self.relay_over(self.streams())
    }

    pub(crate) fn relay_over(&self, streams: impl Streams) -> Running {
        let config = RelayConfig {
            poll: Duration::from_millis(50),
            campaign: Duration::from_millis(200),
            ..RelayConfig::default()
        };
        self.relay_with(streams, config)
    }

    pub(crate) fn relay_with(&self, streams: impl Streams, config: RelayConfig) -> Running {
        let relay = Relay::new(self.url.clone(), streams, config);
        run(|stop| relay.run(stop))
    }

    pub(crate) fn consumer(&self) -> Running {
        self.consumer_over(self.streams(), Counter::default())
    }

    pub(crate) fn consumer_over(&self, streams: impl Streams, handler: Counter) -> Running {
        let consumer = Consumer::new(self.db.clone(), streams, handler, quick());
        run(|stop| consumer.run(stop))
    }

    /// Waits until the effects are exactly `numbers`, each once.
    pub(crate) async fn each_once(&self, numbers: std::ops::Range<i64>) {
        let wanted: Vec<i64> = numbers.collect();
        let begun = Instant::now();
        let mut found = Vec::new();
        while begun.elapsed() < PATIENCE {
            found = self.effects().await;
            if found.len() >= wanted.len()
                && found.iter().collect::<BTreeSet<_>>().len() == wanted.len()
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let lacking: Vec<_> = wanted.iter().filter(|n| !found.contains(n)).collect();
        assert!(lacking.is_empty(), "never dealt with: {lacking:?}");
        // Whatever is still on its way must not add to them.
        self.drained().await;
        assert_eq!(self.effects().await, wanted, "not each once");
    }

    /// Waits until nothing is to be published and nothing delivered is owed.
    pub(crate) async fn drained(&self) {
        self.until("drained", async || {
            let waiting = self
                .count("SELECT count(*) FROM outbox WHERE published_at IS NULL")
                .await;
            let groups = self.redis_command("XINFO", &["GROUPS", STREAM]).await;
            let stream = self.redis_command("XINFO", &["STREAM", STREAM]).await;
            let (Value::Array(groups), Value::Array(stream)) = (groups, stream) else {
                return waiting == 0;
            };
            let quiet = groups.iter().all(|group| {
                let Value::Array(group) = group else {
                    return false;
                };
                // Not the lag, which is an estimate once a stream was trimmed.
                member(group, "pending").as_i64() == Some(0)
                    && member(group, "last-delivered-id") == member(&stream, "last-generated-id")
            });
            waiting == 0 && quiet
        })
        .await;
    }

    pub(crate) async fn drained_of_publishing(&self) {
        let waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
        self.until("published", async || self.count(waiting).await == 0)
            .await;
    }

    pub(crate) async fn until(&self, what: &str, reached: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !reached().await {
            assert!(begun.elapsed() < PATIENCE, "not {what} in {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    pub(crate) async fn effects(&self) -> Vec<i64> {
        self.numbers("SELECT number FROM effect ORDER BY number")
            .await
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.numbers(sql).await.first().copied().unwrap_or(-1)
    }

    /// One column of whole numbers; none while the database is away.
    async fn numbers(&self, sql: &str) -> Vec<i64> {
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        let rows = self.db.query_all_raw(statement).await.unwrap_or_default();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }

    /// Null when Redis is away or refuses.
    pub(crate) async fn redis_command(&self, name: &'static str, arguments: &[&str]) -> Value {
        let client =
            Builder::from_config(fred::types::config::Config::from_url(&self.redis.url).unwrap())
                .build()
                .unwrap();
        let connected = tokio::time::timeout(Duration::from_secs(2), client.init()).await;
        if !matches!(connected, Ok(Ok(_))) {
            return Value::Null;
        }
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let command = CustomCommand::new_static(name, None, false);
        let answer = client
            .custom(command, arguments)
            .await
            .unwrap_or(Value::Null);
        let _ = client.quit().await;
        answer
    }

    pub(crate) async fn stream_length(&self) -> i64 {
        self.redis_command("XLEN", &[STREAM])
            .await
            .as_i64()
            .unwrap_or(0)
    }
}

/// The value after `name` in an answer that is a list of names and values.
fn member(answer: &[Value], name: &str) -> Value {
    let mut pairs = answer.chunks_exact(2);
    let found = pairs.find(|pair| pair[0].as_string().as_deref() == Some(name));
    found.map_or(Value::Null, |pair| pair[1].clone())
}

/// A configuration with which nothing takes long.
pub(crate) fn quick() -> ConsumerConfig {
    ConsumerConfig {
        block: Duration::from_millis(200),
        idle: Duration::from_millis(600),
        reclaim_every: Duration::from_millis(200),
        patience: Duration::from_millis(400),
        ..ConsumerConfig::default()
    }
}

pub(crate) fn event(number: i64) -> Event {
    // A few aggregates, so that both the same and different ones meet.
    Event::new(format!("counter:{}", number % 7), &Counted { number }).unwrap()
}

/// Makes one effect an event, unless told to fail.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counter {
    pub(crate) fault: Arc<Mutex<Fault>>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    Fails(i64),
    Panics(i64),
    Hangs(i64),
    /// A statement that the database refuses each time.
    Refused(i64),
}

impl Handler for Counter {
    fn name(&self) -> &'static str {
        CONSUMER
    }

    fn topics(&self) -> Vec<Topic> {
        vec![Counted::TOPIC]
    }

    async fn handle(
        &self,
        transaction: &DatabaseTransaction,
        event: &Envelope,
    ) -> Result<(), HandlerError> {
        let number = event.fact::<Counted>()?.number;
        let sql = format!("INSERT INTO effect VALUES ({number})");
        transaction.execute_unprepared(&sql).await?;
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::Fails(bad) if bad == number => Err(HandlerError::Failed(
                "cannot tell someone@example.org about it".to_owned(),
            )),
            Fault::Panics(bad) => {
                assert_ne!(bad, number, "told to panic");
                Ok(())
            }
            Fault::Hangs(bad) if bad == number => std::future::pending().await,
            Fault::Refused(bad) if bad == number => {
                let sql = "SET LOCAL statement_timeout = 20; SELECT pg_sleep(10)";
                transaction.execute_unprepared(sql).await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// A task; killed with its value.
pub(crate) struct Running {
    stopper: Stopper,
    task: JoinHandle<()>,
}

pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(
    start: impl FnOnce(Stop) -> F,
) -> Running {
    let (stopper, stop) = Stop::pair();
    Running {
        stopper,
        task: tokio::spawn(start(stop)),
    }
}

impl Running {
    /// Ends it where it is, as `kill -9` does: its connections close, it says nothing more.
    pub(crate) async fn kill(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(mut self) {
        self.stopper.stop();
        tokio::time::timeout(Duration::from_secs(10), &mut self.task)
            .await
            .expect("it did not stop")
            .unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
