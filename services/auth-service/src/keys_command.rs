//! `auth-service keys`: the signing keys, for operators.

use crate::config::Config;
use crate::domain::key_life::{KeyRecord, KeyState};
use crate::error::StartError;
use crate::store::keys::{KeyRing, Retired, RotateError};
use clap::{Args, Subcommand};
use service::{clock, db};
use std::fmt::Write as _;
use std::time::Duration;
use time::OffsetDateTime;

/// The signing keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Shows every key and where it stands in its life.
    List,
    /// Announces a new key, which takes over by itself once every verifier has seen it.
    Rotate(Rotate),
}

/// How to rotate.
#[derive(Debug, Args)]
pub struct Rotate {
    /// Make the announced key take over now instead of at its time; refused while verifiers may not have seen it.
    #[arg(long, conflicts_with = "emergency")]
    now: bool,
    /// Stop believing a key at once: every token it signed is refused, and its users refresh or sign in again.
    #[arg(long, requires_all = ["kid", "reason"])]
    emergency: bool,
    /// Which key has leaked.
    #[arg(long, requires = "emergency", allow_hyphen_values = true)]
    kid: Option<String>,
    /// Why, in a few words; it is printed with what was done, for the incident's record.
    #[arg(long, requires = "emergency")]
    reason: Option<String>,
}

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeysError(String);

impl From<StartError> for KeysError {
    fn from(error: StartError) -> Self {
        Self(error.to_string())
    }
}

impl From<RotateError> for KeysError {
    fn from(error: RotateError) -> Self {
        Self(error.to_string())
    }
}

/// Does what `command` says with the database and the sealing key of `config`; the text to print.
pub async fn run(config: &Config, command: &KeysCommand) -> Result<String, KeysError> {
    let database = db::connect(&config.database, "auth-service-keys")
        .await
        .map_err(|_| StartError::Database)?;
    let sealing = config.sealing_key().map_err(StartError::from)?;
    let ring = KeyRing::new(database, sealing, config.key_policy(), Duration::ZERO);
    match command {
        KeysCommand::List => {
            let keys = ring.list().await.map_err(RotateError::from)?;
            Ok(table(&keys))
        }
        KeysCommand::Rotate(rotate) => Ok(rotate.run(&ring).await?),
    }
}

impl Rotate {
    async fn run(&self, ring: &KeyRing) -> Result<String, RotateError> {
        if let (true, Some(kid)) = (self.emergency, &self.kid) {
            let reason = self.reason.as_deref().unwrap_or_default();
            return Ok(match ring.retire_now(kid).await? {
                Retired::Replaced { by } => {
                    format!("{kid} is retired ({reason}); {by} signs from now on\n")
                }
                Retired::Only => format!("{kid} is retired ({reason})\n"),
                Retired::Before => format!("{kid} was retired before\n"),
            });
        }
        if self.now {
            let kid = ring.activate_now().await?;
            return Ok(format!("{kid} signs from now on\n"));
        }
        let (kid, at) = ring.announce().await?;
        Ok(format!("{kid} is announced and signs from {}\n", short(at)))
    }
}

fn table(keys: &[KeyRecord]) -> String {
    let mut text = format!(
        "{:<43}  {:<9}  {:<20}  {}\n",
        "KID", "STATE", "MADE", "NEXT"
    );
    for key in keys {
        let next = |word: &str, at: Option<OffsetDateTime>| {
            at.map(|at| format!("{word} {}", short(at)))
                .unwrap_or_default()
        };
        let next = match key.state {
            KeyState::Announced => next("signs from", key.activate_at),
            KeyState::Active => next("signs since", key.activated_at),
            KeyState::Retiring => next("believed until", key.retire_at),
            KeyState::Retired => next("not believed since", key.retired_at),
        };
        let (state, made) = (key.state.as_str(), short(key.created_at));
        let _ = writeln!(text, "{:<43}  {state:<9}  {made:<20}  {next}", key.kid);
    }
    text
}

fn short(at: OffsetDateTime) -> String {
    clock::rfc3339(at.replace_nanosecond(0).unwrap_or(at))
}
