//! The servers that all tests of a process share.

use crate::folder;
use stack::{Durability, Passwords, Postgres, PostgresSpec, Redis, RedisSpec, Role};
use std::sync::OnceLock;

/// The database that has the schema and that tests' databases are copies of.
pub(crate) const TEMPLATE: &str = "twist_template";

/// The shared cluster, with the template in it.
pub(crate) fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(|| {
        let postgres = start_postgres(Durability::Throwaway);
        make_template(&postgres);
        postgres
    })
}

/// The shared Redis.
pub(crate) fn redis() -> &'static Redis {
    static REDIS: OnceLock<Redis> = OnceLock::new();
    REDIS.get_or_init(start_redis)
}

pub(crate) fn start_postgres(durability: Durability) -> Postgres {
    let (folder, reaper) = folder::next("postgres");
    let spec = PostgresSpec {
        log: folder.join("postgres.log"),
        folder,
        port: stack::free_port().expect("find a free port"),
        passwords: Passwords::generate().expect("make passwords"),
        durability,
    };
    Postgres::start(spec, Some(&reaper)).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn start_redis() -> Redis {
    let (folder, reaper) = folder::next("redis");
    let spec = RedisSpec {
        log: folder.join("redis.log"),
        folder,
        port: stack::free_port().expect("find a free port"),
        password: stack::random_hex(16).expect("make a password"),
    };
    Redis::start(spec, Some(&reaper)).unwrap_or_else(|error| panic!("{error}"))
}

/// Makes a database with the schema. Blocks; not to be called from within a runtime's own thread.
pub(crate) fn make_template(postgres: &Postgres) {
    postgres
        .make_database(TEMPLATE, None)
        .expect("make the template database");
    let url = postgres.url(Role::Owner, TEMPLATE);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("make a runtime")
        .block_on(migrations::up(&url))
        .unwrap_or_else(|error| panic!("the migrations failed: {error}"));
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
