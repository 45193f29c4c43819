//! influencer-api: a user's account, devices and rewards; ingest of the VAUs that the edge accepted.

pub mod config;
pub mod domain;
mod error;
pub mod routes;
pub mod state;
pub mod store;

pub use config::Config;
pub use state::{AppState, StartError};

use sea_orm::DatabaseConnection;
use service::access::Guards;
use service::health::ReadyCheck;
use service::server::{About, App};
use service::version::Revision;

/// The whole service, ready to be served.
pub fn app(state: &AppState, revision: Option<Revision>) -> App {
    App::new(
        About {
            service: "influencer-api",
            description: "A wallet's account: devices, rewards, balance. Errors are problem+json with a stable `code`.",
            revision,
        },
        Guards {
            verifier: state.verifier.clone(),
            revocations: state.revocations.clone(),
            database: state.db.clone(),
            limiter: state.limiter.clone(),
        },
        routes::public().with_state(state.clone()),
        routes::internal().with_state(state.clone()),
        vec![
            service::db::ready_check(&state.db),
            schema_check(&state.db),
            state.redis.ready_check(),
            state.verifier.ready_check(),
            state.revocations.ready_check(),
        ],
    )
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
