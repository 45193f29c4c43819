//! Servers that one test has to itself, to stop and start.

use crate::database::connect;
use crate::shared::{self, TEMPLATE, blocking};
use sea_orm::DatabaseConnection;
use stack::{Durability, Postgres, Redis, Role, StackError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(10);

macro_rules! faults {
    ($type:ident) => {
        impl $type {
            /// Stops it as an operator does. Its port then refuses connections.
            pub async fn stop(&self) {
                self.with(|server| server.process.stop(GRACE)).await;
            }

            /// Kills it, with no chance to write anything.
            pub async fn kill(&self) {
                self.with(|server| server.process.kill()).await;
            }

            /// Starts it again, on the same port with the same data.
            pub async fn start(&self) {
                self.with(|server| server.start_again())
                    .await
                    .unwrap_or_else(|error: StackError| panic!("{error}"));
            }

            /// The port it listens on.
            pub const fn port(&self) -> u16 {
                self.port
            }
        }
    };
}

/// A durable cluster for one test.
#[derive(Debug)]
pub struct OwnPostgres {
    server: Arc<Mutex<Postgres>>,
    port: u16,
    /// Logs in as the superuser, to the database that every cluster has.
    pub admin_url: String,
    /// Logs in as the owner of the tables.
    pub owner_url: String,
    /// Logs in as a service does.
    pub app_url: String,
}

faults!(OwnPostgres);

impl OwnPostgres {
    /// Starts one and runs the migrations.
    pub async fn new() -> Self {
        blocking(|| {
            let postgres = shared::start_postgres(Durability::Durable);
            shared::make_template(&postgres);
            Self {
                port: postgres.port(),
                admin_url: postgres.url(Role::Admin, "postgres"),
                owner_url: postgres.url(Role::Owner, TEMPLATE),
                app_url: postgres.url(Role::App, TEMPLATE),
                server: Arc::new(Mutex::new(postgres)),
            }
        })
        .await
    }

    /// A pool that logs in as a service does.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.app_url).await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Postgres) -> T + Send + 'static,
    ) -> T {
        let server = Arc::clone(&self.server);
        blocking(move || work(&mut server.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

/// A Redis for one test.
#[derive(Debug)]
pub struct OwnRedis {
    server: Arc<Mutex<Redis>>,
    port: u16,
    /// Its URL.
    pub url: String,
}

faults!(OwnRedis);

impl OwnRedis {
    /// Starts one.
    pub async fn new() -> Self {
        blocking(|| {
            let redis = shared::start_redis();
            Self {
                port: redis.port(),
                url: redis.url(0),
                server: Arc::new(Mutex::new(redis)),
            }
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Redis) -> T + Send + 'static,
    ) -> T {
        let server = Arc::clone(&self.server);
        blocking(move || work(&mut server.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}
