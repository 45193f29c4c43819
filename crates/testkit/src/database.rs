//! A database for one test.

use crate::shared::{self, TEMPLATE, blocking};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use stack::Role;
use uuid::Uuid;

/// A fresh database with the schema, on the shared cluster. Dropped with its value.
#[derive(Debug)]
pub struct TestDb {
    name: String,
    /// Logs in as the owner of the tables.
    pub owner_url: String,
    /// Logs in as a service does.
    pub app_url: String,
}

impl TestDb {
    /// Makes one; the first in a process starts the cluster and runs the migrations.
    pub async fn new() -> Self {
        blocking(|| {
            let postgres = shared::postgres();
            let name = format!("test_{}", Uuid::new_v4().simple());
            postgres
                .make_database(&name, Some(TEMPLATE))
                .unwrap_or_else(|error| panic!("{error}"));
            Self {
                owner_url: postgres.url(Role::Owner, &name),
                app_url: postgres.url(Role::App, &name),
                name,
            }
        })
        .await
    }

    /// A pool that logs in as a service does.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.app_url).await
    }

    /// A pool for any URL, for example one that leads through a proxy.
    pub async fn connect_to(url: &str) -> DatabaseConnection {
        connect(url).await
    }

    /// A pool that logs in as the owner of the tables: for what only migrations and checks may do.
    pub async fn connect_as_owner(&self) -> DatabaseConnection {
        connect(&self.owner_url).await
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // Only saves room: the whole cluster goes with the process. Not in this thread, which may be the one that a
        // half-made connection waits for, as the server then waits for that connection.
        let name = std::mem::take(&mut self.name);
        std::thread::spawn(move || {
            let _ = shared::postgres().drop_database(&name);
        });
    }
}

pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(8).sqlx_logging(false);
    Database::connect(options)
        .await
        .unwrap_or_else(|error| panic!("cannot reach the test database: {error}"))
}
