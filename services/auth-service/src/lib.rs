//! Wallet sign-in.
//!
//! A wallet asks for a nonce, signs the message that carries it, and gets an access token. The nonce works
//! once; the token is an `EdDSA` JWT that every other part of the platform verifies with this service's
//! public keys.

pub mod config;
mod domain;
mod error;
mod keys_command;
mod routes;
mod state;
mod store;

pub use config::Config;
pub use error::StartError;
pub use keys_command::{KeysCommand, KeysError, run as run_keys};

use state::AppState;

use service::config::Listen;
use service::server::{App, ServerConfig};
use service::version::Revision;

/// The application, and where to serve it. Needs neither Postgres nor Redis to be up.
pub async fn prepare(
    config: &Config,
    revision: Option<Revision>,
) -> Result<(App, ServerConfig), StartError> {
    let state = AppState::new(config).await?;
    tokio::spawn(store::sessions::sweep(state.database.clone()));
    tokio::spawn(state.keys.clone().watch());
    let listen = Listen {
        public: config.listen,
        ops: config.ops_listen,
    };
    let server = ServerConfig {
        listen,
        http: config.http.clone(),
    };
    Ok((routes::app(state, revision), server))
}
