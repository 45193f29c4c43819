//! The servers that all tests of a process share.

use crate::folder;
use stack::{Durability, Passwords, Postgres, PostgresSpec, Redis, RedisSpec, Role, StackError};
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
    until_a_port_is_ours(|port| {
        let (folder, reaper) = folder::next("postgres");
        let spec = PostgresSpec {
            log: folder.join("postgres.log"),
            folder,
            port,
            passwords: Passwords::generate().expect("make passwords"),
            durability,
        };
        Postgres::start(spec, Some(&reaper))
    })
}

pub(crate) fn start_redis() -> Redis {
    until_a_port_is_ours(|port| {
        let (folder, reaper) = folder::next("redis");
        let spec = RedisSpec {
            log: folder.join("redis.log"),
            folder,
            port,
            password: stack::random_hex(16).expect("make a password"),
        };
        Redis::start(spec, Some(&reaper))
    })
}

/// Another process may take a port between the look and the use: then with another one.
fn until_a_port_is_ours<T>(start: impl Fn(u16) -> Result<T, StackError>) -> T {
    let mut tries = 3;
    loop {
        tries -= 1;
        match start(stack::free_port().expect("find a free port")) {
            Ok(server) => return server,
            Err(error) => assert!(tries > 0, "{error}"),
        }
    }
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
