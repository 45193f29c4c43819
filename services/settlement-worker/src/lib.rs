//! settlement-worker: what happens without anybody asking. Events are published and dealt with, transactions sealed,
//! and the jobs of the platform done at their times.
//!
//! Any number of instances may run. Of each thing that must happen once the database decides who does it.

pub mod config;
pub mod consumers;
pub mod jobs;
mod metrics;
mod observe;
mod sealer;
pub mod state;
pub mod task;

pub use config::Config;
pub use state::{AppState, StartError};
pub use task::{Crew, Task};

use bus::Relay;
use sea_orm::DatabaseConnection;
use service::access::Routes;
use service::health::ReadyCheck;
use service::server::{About, App};
use service::version::Revision;

/// What the service answers: how it is. Nobody asks it for anything else.
pub fn app(state: &AppState, revision: Option<Revision>) -> App {
    App::new(
        About {
            service: "settlement-worker",
            description: "Publishes events, seals the ledger, does the jobs of the platform. Only says how it is.",
            revision,
        },
        None,
        Routes::new(),
        Routes::new(),
        vec![
            service::db::ready_check(&state.db),
            schema_check(&state.db),
            state.redis.ready_check(),
        ],
    )
}

/// What the service does.
pub fn tasks(state: &AppState) -> Vec<Task> {
    let mut tasks = vec![
        relay(state),
        sealer::task(state),
        jobs::scheduler(state),
        observe::task(state),
    ];
    tasks.extend(consumers::consumers(state));
    tasks
}

fn relay(state: &AppState) -> Task {
    let (url, streams) = (state.database_url.clone(), state.streams.clone());
    let config = state.config.relay.as_relay();
    Task::endless("relay", move |stop| {
        use secrecy::ExposeSecret as _;
        Relay::new(url.expose_secret(), streams.clone(), config.clone()).run(stop)
    })
}

/// `schema`: the database has every migration that this build was written for.
fn schema_check(db: &DatabaseConnection) -> ReadyCheck {
    let db = db.clone();
    ReadyCheck::new("schema", move || {
        let db = db.clone();
        async move {
            match migrations::pending(&db).await {
                Ok(pending) if pending.is_empty() => Ok(()),
                Ok(pending) => Err(format!("not migrated: {}", pending.join(", "))),
                Err(error) => Err(error.to_string()),
            }
        }
    })
}
