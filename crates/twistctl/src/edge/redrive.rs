//! `edge redrive`: messages from dead-letter queues back to the queues that they were meant for.
//!
//! A message is sent on before it is taken off the dead-letter queue: when this is stopped in between it is
//! there twice, which the backend does not count twice, and it is never there no longer.

use crate::edge::EdgeError;
use crate::edge::api::{Api, Message, Queue};
use crate::edge::bindings::{Bindings, deployed};
use crate::ui;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Messages of one request at most.
const BATCH: u8 = 100;
/// How long nobody else gets what was pulled. Sending a batch on takes seconds.
const LEASE_MS: u32 = 120_000;

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The environment.
    pub environment: String,
    /// Only this queue, by its name in the list.
    pub queue: Option<String>,
    /// Do it; otherwise only look.
    pub send: bool,
    /// Of each queue at most so many.
    pub limit: u32,
}

/// What became of the messages of one queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Looked at.
    pub seen: u32,
    /// Sent on and taken off.
    pub sent: u32,
    /// Given back to the dead-letter queue.
    pub kept: u32,
}

/// Does it. Good if nothing had to stay.
pub async fn run(api: &Api, bindings: &Bindings, options: &Options) -> Result<bool, EdgeError> {
    let mut pairs = bindings.dead_letters();
    pairs.retain(|(queue, _)| options.queue.as_ref().is_none_or(|only| only == queue));
    if pairs.is_empty() {
        return Err(EdgeError::help(match &options.queue {
            Some(queue) => format!("there is no queue {queue} with a dead-letter queue"),
            None => "no queue has a dead-letter queue".to_owned(),
        }));
    }
    let queues = api.queues().await?;
    let find = |name: &str| {
        let name = deployed(name, &options.environment);
        let found = queues.iter().find(|queue| queue.queue_name == name);
        found.ok_or_else(|| {
            EdgeError::help(format!(
                "there is no queue {name}: apply edge/terraform first"
            ))
        })
    };
    let mut good = true;
    for (main, dead) in pairs {
        let (main, dead) = (find(main)?, find(dead)?);
        let counts = if options.send {
            drive(api, main, dead, options.limit).await?
        } else {
            look(api, dead, options.limit).await?
        };
        let name = &dead.queue_name;
        if options.send {
            ui::say(&format!(
                "{name}: {} sent on to {}, {} kept",
                counts.sent, main.queue_name, counts.kept
            ));
        } else {
            ui::say(&format!(
                "{name}: {} would be sent on to {}, {} cannot be; nothing was changed, --send does it",
                counts.seen - counts.kept,
                main.queue_name,
                counts.kept
            ));
        }
        good &= counts.kept == 0;
    }
    Ok(good)
}

/// Counts what is there. One look shows the first messages only, as none of them is taken away.
async fn look(api: &Api, dead: &Queue, limit: u32) -> Result<Counts, EdgeError> {
    let count = u8::try_from(limit).unwrap_or(BATCH).min(BATCH);
    let found = api.peek(dead, count).await?;
    if found.len() == usize::from(BATCH) {
        ui::say(&format!(
            "{}: these are the first {BATCH}, there may be more",
            dead.queue_name
        ));
    }
    let mut counts = Counts::default();
    for message in &found {
        counts.seen += 1;
        if let Err(why) = Content::of(message) {
            counts.kept += 1;
            ui::say(&format!(
                "{}: message {}: {why}",
                dead.queue_name, message.id
            ));
        }
    }
    Ok(counts)
}

async fn drive(api: &Api, main: &Queue, dead: &Queue, limit: u32) -> Result<Counts, EdgeError> {
    let mut counts = Counts::default();
    while counts.seen < limit {
        let count = u8::try_from(limit - counts.seen)
            .unwrap_or(BATCH)
            .min(BATCH);
        let batch = api.pull(dead, count, LEASE_MS).await?;
        if batch.is_empty() {
            break;
        }
        let (mut done, mut back, mut failed) = (Vec::new(), Vec::new(), None);
        for message in &batch {
            counts.seen += 1;
            // After a failure the rest is given back at once instead of at the end of the lease.
            let sent = match (&failed, Content::of(message)) {
                (Some(_), _) => false,
                (None, Err(why)) => {
                    ui::say(&format!(
                        "{}: message {}: {why}",
                        dead.queue_name, message.id
                    ));
                    false
                }
                (None, Ok(content)) => match content.send(api, main).await {
                    Ok(()) => true,
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                },
            };
            if sent {
                done.push(message.lease_id.clone());
            } else {
                back.push(message.lease_id.clone());
            }
        }
        let kept = u32::try_from(back.len()).unwrap_or(u32::MAX);
        counts.sent += u32::try_from(done.len()).unwrap_or(u32::MAX);
        counts.kept += kept;
        let acknowledged = api.acknowledge(dead, &done, &back).await;
        if let Some(error) = failed {
            return Err(stopped(&error.into(), counts, dead));
        }
        acknowledged.map_err(|error| stopped(&error.into(), counts, dead))?;
        if kept > 0 {
            // They would come again at once.
            break;
        }
    }
    Ok(counts)
}

fn stopped(error: &EdgeError, counts: Counts, dead: &Queue) -> EdgeError {
    EdgeError::help(format!(
        "{error}\n{}: {} were sent on before that, {} are still there; the same command goes on",
        dead.queue_name, counts.sent, counts.kept
    ))
}

/// A message that can be sent on as it was.
enum Content {
    Json(String),
    Text(String),
}

impl Content {
    fn of(message: &Message) -> Result<Self, String> {
        let kind = message.metadata.get("CF-Content-Type");
        match kind.and_then(serde_json::Value::as_str) {
            Some("text") => Ok(Self::Text(message.body.clone())),
            Some("json") | None => {
                let bytes = STANDARD
                    .decode(&message.body)
                    .map_err(|_| "its body is not base64".to_owned())?;
                let text =
                    String::from_utf8(bytes).map_err(|_| "its body is no text".to_owned())?;
                serde_json::from_str::<serde::de::IgnoredAny>(&text)
                    .map_err(|error| format!("its body is no JSON ({error})"))?;
                Ok(Self::Json(text))
            }
            Some(kind) => Err(format!(
                "its content type is {kind:?}, which cannot be sent over HTTP"
            )),
        }
    }

    async fn send(&self, api: &Api, queue: &Queue) -> Result<(), crate::edge::api::ApiError> {
        match self {
            Self::Json(text) => api.push_json(queue, text).await,
            Self::Text(text) => api.push_text(queue, text).await,
        }
    }
}
