//! `dlq list`, `dlq replay`, `dlq drop`.

use crate::platform::{Secrets, owner_url};
use crate::{CtlError, Paths, commands, ui};
use bus::dead_letter;
use sea_orm::{ConnectOptions, Database};

/// Dead letters: events that a consumer could not deal with.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Another database than the local platform's.
    #[arg(
        long,
        global = true,
        env = "TWIST_DLQ_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows those that nobody has closed, the eldest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Has the event delivered again; consumers that have dealt with it do not notice.
    Replay {
        /// Its number, as `list` shows it.
        id: i64,
    },
    /// Closes it for good: its consumer never gets the event again.
    Drop {
        /// Its number, as `list` shows it.
        id: i64,
    },
}

/// Does it.
pub fn run(paths: &Paths, args: &Args) -> Result<bool, CtlError> {
    let url = if let Some(url) = &args.database_url {
        url.clone()
    } else {
        let record = commands::running(paths)?;
        owner_url(&record.ports, &Secrets::load_or_make(paths)?)
    };
    commands::runtime()?.block_on(async {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        let db = Database::connect(options).await?;
        match args.command {
            Command::List { limit } => {
                let letters = dead_letter::list(&db, limit).await?;
                if letters.is_empty() {
                    ui::say("there are no dead letters");
                }
                for letter in letters {
                    ui::say(&line(&letter));
                }
            }
            Command::Replay { id } => {
                dead_letter::replay(&db, id).await?;
                ui::say(&format!("{id} will be delivered again"));
            }
            Command::Drop { id } => {
                dead_letter::drop(&db, id).await?;
                ui::say(&format!("{id} is dropped"));
            }
        }
        Ok(true)
    })
}

fn line(letter: &dead_letter::DeadLetter) -> String {
    let event = letter
        .event_id
        .map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!(
        "{}  {}  {}  {}  {event}  {} deliveries: {}",
        letter.id,
        letter.died_at,
        letter.consumer,
        letter.topic.as_deref().unwrap_or("-"),
        letter.deliveries,
        letter.error,
    )
}
