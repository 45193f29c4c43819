//! A consumer in a process of its own, killed at each of its fail points while another takes over.

use crate::world::{Counter, Fault, World, quick};
use bus::{Consumer, RedisStreams, Stop, dead_letter};
use std::process::Command;
use std::time::Duration;
use testkit::TestDb;
use testkit::program::{self, Program};

const DATABASE: &str = "TWIST_BUS_TEST_DATABASE";
const REDIS: &str = "TWIST_BUS_TEST_REDIS";
const FAILS: &str = "TWIST_BUS_TEST_FAILS";

/// No test but the program that the tests start: a consumer, when told where. The harness runs it as a test too, and
/// then it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn consumer() {
    let (Ok(database), Ok(redis)) = (std::env::var(DATABASE), std::env::var(REDIS)) else {
        return;
    };
    let handler = Counter::default();
    if let Ok(number) = std::env::var(FAILS) {
        *handler.fault.lock().unwrap() = Fault::Fails(number.parse().unwrap());
    }
    let db = TestDb::connect_to(&database).await;
    let streams = RedisStreams::connect(&redis, Duration::from_secs(1)).unwrap();
    let (_stopper, stop) = Stop::pair();
    let consumer = Consumer::new(db, streams, handler, quick());
    Box::pin(consumer.run(stop)).await;
}

impl World {
    /// A consumer that is not started yet.
    fn process(&self, fails: Option<i64>) -> Command {
        let program = std::env::current_exe().unwrap();
        let mut command = program::command(program.to_str().unwrap());
        command
            .args(["--exact", "killed::consumer", "--nocapture"])
            .env(DATABASE, &self.url)
            .env(REDIS, &self.redis.url);
        if let Some(number) = fails {
            command.env(FAILS, number.to_string());
        }
        command
    }

    async fn die_at(&self, point: &str, fails: Option<i64>) {
        let mut command = self.process(fails);
        command.env(failpoint::VARIABLE, point);
        Program::start(command).died().await;
    }
}

/// Ten events; the consumer dies at `point`, at its first and at a later arrival, and another follows each time.
async fn each_once_around(point: &str) {
    let world = World::new().await;
    let _relay = world.relay();
    world.publish_all(0..10).await;
    world.die_at(point, None).await;
    world.die_at(&format!("{point}:4"), None).await;
    let _third = Program::start(world.process(None));
    world.each_once(0..10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_an_event_in_its_hands_a_consumer_loses_nothing() {
    each_once_around("consumer.before_effect").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_an_effect_is_committed_there_is_none_and_the_next_makes_it() {
    each_once_around("consumer.before_commit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_an_event_is_acknowledged_its_effect_is_not_made_again() {
    each_once_around("consumer.before_ack").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_a_dead_letter_is_acknowledged_it_is_written_once_and_the_rest_goes_on() {
    let world = World::new().await;
    let _relay = world.relay();
    world.publish_all(0..10).await;
    world.die_at("dead_letter.before_ack", Some(3)).await;
    let _other = Program::start(world.process(Some(3)));
    world.publish_all(10..12).await;
    let good: Vec<i64> = (0..12).filter(|number| *number != 3).collect();
    world
        .until("the good ones", async || world.effects().await == good)
        .await;
    world.drained().await;
    let letters = dead_letter::list(&world.db, 10).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(world.effects().await, good);
}
