//! Redis Streams through fred.

use crate::streams::{Claimed, Delivery, Entry, Reader, StreamError, Streams};
use fred::clients::Client;
use fred::interfaces::{
    ClientLike as _, KeysInterface as _, LuaInterface as _, StreamsInterface as _,
};
use fred::types::config::{Config, ReconnectPolicy, UnresponsiveConfig};
use fred::types::streams::XReadResponse;
use fred::types::{Builder, Key, Value};
use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

/// The one field of a message.
const FIELD: &str = "event";
/// About how many messages a stream keeps; what is older was read long ago, or is published again.
const MAX_LENGTH: i64 = 1_000_000;
/// How much longer than it blocks a read may take.
const READ_GRACE: Duration = Duration::from_secs(3);
/// The longest that a read may block.
const MAX_BLOCK: Duration = Duration::from_secs(10);

/// Of any bytes, since anyone with the password may have appended them.
type Fields = HashMap<Key, Value>;
type Entries = Vec<(String, Fields)>;

/// Two connections: one for commands, one for reads that wait. Both reconnect for ever; while they are down every
/// command fails soon instead of waiting in a queue.
#[derive(Clone)]
pub struct RedisStreams {
    commands: Client,
    reads: Client,
    timeout: Duration,
}

impl std::fmt::Debug for RedisStreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisStreams")
    }
}

impl RedisStreams {
    /// Starts connecting in the background. A command fails after `timeout`.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn connect(url: &str, timeout: Duration) -> Result<Self, StreamError> {
        Ok(Self {
            commands: client(url, timeout)?,
            reads: client(url, MAX_BLOCK.saturating_add(READ_GRACE))?,
            timeout,
        })
    }

    async fn run<T>(
        &self,
        command: impl Future<Output = Result<T, fred::error::Error>>,
    ) -> Result<T, StreamError> {
        within(&self.commands, self.timeout, command).await
    }

    /// How often each was delivered, in the order of `ids`.
    async fn counts(
        &self,
        reader: &Reader,
        key: &str,
        ids: &[String],
    ) -> Result<Vec<u64>, StreamError> {
        let pipeline = self.commands.pipeline();
        for id in ids {
            let range = (id.as_str(), id.as_str(), 1u64);
            let _: Result<(), _> = pipeline.xpending(key, reader.group.as_str(), range).await;
        }
        let answers: Vec<Value> = self.run(pipeline.all()).await?;
        Ok(answers.into_iter().map(count).collect())
    }
}

/// The last member of the one row that XPENDING answers.
fn count(answer: Value) -> u64 {
    let last = |value: Value| match value {
        Value::Array(mut items) => items.pop(),
        _ => None,
    };
    last(answer)
        .and_then(last)
        .and_then(|value| value.as_u64())
        .unwrap_or(1)
}

fn envelope(fields: &mut Fields) -> Option<String> {
    fields.remove(&Key::from(FIELD))?.into_string()
}

fn client(url: &str, timeout: Duration) -> Result<Client, StreamError> {
    let mut config = Config::from_url(url).map_err(|e| StreamError::Url(e.details().to_owned()))?;
    config.fail_fast = false;
    let client = Builder::from_config(config)
        .with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_secs(2);
            connection.internal_command_timeout = timeout;
            connection.max_command_attempts = 1;
            connection.auto_client_setname = false;
            connection.reconnect_on_auth_error = true;
            connection.tcp.nodelay = Some(true);
            connection.unresponsive = UnresponsiveConfig {
                max_timeout: Some(timeout.saturating_mul(2)),
                interval: Duration::from_millis(500),
            };
        })
        .with_performance_config(|performance| {
            performance.default_command_timeout = timeout;
        })
        .set_policy(ReconnectPolicy::new_exponential(0, 50, 1_000, 2))
        .build()
        .map_err(|error| StreamError::Url(error.details().to_owned()))?;
    // The task ends when the client is dropped; its result says nothing that a command does not.
    drop(client.connect());
    Ok(client)
}

async fn within<T>(
    client: &Client,
    timeout: Duration,
    command: impl Future<Output = Result<T, fred::error::Error>>,
) -> Result<T, StreamError> {
    if !client.is_connected() {
        return Err(StreamError::Unavailable("not connected".into()));
    }
    match tokio::time::timeout(timeout, command).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(understood(&error)),
        Err(_) => Err(StreamError::Unavailable("no answer in time".into())),
    }
}

fn understood(error: &fred::error::Error) -> StreamError {
    let text = error.details();
    // The second is what a reader that waits is told when its stream goes.
    if text.contains("NOGROUP") || text.contains("UNBLOCKED") {
        StreamError::NoGroup
    } else {
        StreamError::Unavailable(error.to_string())
    }
}

fn key(area: &str) -> String {
    format!("twist:events:{area}")
}

fn mark_key(group: &str) -> String {
    format!("twist:events-mark:{group}")
}

impl Streams for RedisStreams {
    async fn append(&self, entries: &[Entry]) -> Vec<bool> {
        if !self.commands.is_connected() {
            return vec![false; entries.len()];
        }
        let pipeline = self.commands.pipeline();
        for entry in entries {
            let cap = ("MAXLEN", "~", MAX_LENGTH);
            let field = (FIELD, entry.envelope.as_str());
            let _: Result<(), _> = pipeline
                .xadd(key(&entry.area), false, cap, "*", field)
                .await;
        }
        match tokio::time::timeout(self.timeout, pipeline.try_all::<Value>()).await {
            Ok(answers) if answers.len() == entries.len() => {
                answers.iter().map(Result::is_ok).collect()
            }
            _ => vec![false; entries.len()],
        }
    }

    async fn read(
        &self,
        reader: &Reader,
        areas: &[String],
        count: u64,
        block: Duration,
    ) -> Result<Vec<Delivery>, StreamError> {
        let block = block.clamp(Duration::from_millis(1), MAX_BLOCK);
        let keys: Vec<String> = areas.iter().map(|area| key(area)).collect();
        let ids = vec![">"; keys.len()];
        let millis = u64::try_from(block.as_millis()).unwrap_or(1);
        let command = self.reads.xreadgroup(
            reader.group.as_str(),
            reader.name.as_str(),
            Some(count),
            Some(millis),
            false,
            keys,
            ids,
        );
        let limit = block.saturating_add(READ_GRACE);
        let answer: Value = within(&self.reads, limit, command).await?;
        if answer.is_null() {
            return Ok(Vec::new());
        }
        let mut found: XReadResponse<String, String, Key, Value> = answer
            .into_xread_response()
            .map_err(|error| StreamError::Unavailable(error.to_string()))?;
        let mut deliveries = Vec::new();
        for area in areas {
            for (id, mut fields) in found.remove(&key(area)).unwrap_or_default() {
                deliveries.push(Delivery {
                    area: area.clone(),
                    id,
                    envelope: envelope(&mut fields),
                    deliveries: 1,
                });
            }
        }
        Ok(deliveries)
    }

    async fn claim(
        &self,
        reader: &Reader,
        area: &str,
        idle: Duration,
        count: u64,
    ) -> Result<Claimed, StreamError> {
        let key = key(area);
        let millis = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        let (group, name) = (reader.group.as_str(), reader.name.as_str());
        let answer: Value = self
            .run(
                self.commands
                    .xautoclaim(&key, group, name, millis, "0-0", Some(count), false),
            )
            .await?;
        let Value::Array(parts) = answer else {
            return Err(StreamError::Unavailable("XAUTOCLAIM answered oddly".into()));
        };
        let mut parts = parts.into_iter().skip(1);
        let entries = parts.next().unwrap_or(Value::Null);
        let lost = matches!(parts.next(), Some(Value::Array(gone)) if !gone.is_empty());
        let entries: Entries = entries
            .into_xread_value()
            .map_err(|error| StreamError::Unavailable(error.to_string()))?;
        let ids: Vec<String> = entries.iter().map(|(id, _)| id.clone()).collect();
        if ids.is_empty() {
            return Ok(Claimed {
                deliveries: Vec::new(),
                lost,
            });
        }
        let counts = self.counts(reader, &key, &ids).await?;
        let deliveries = entries.into_iter().zip(counts);
        let deliveries = deliveries.map(|((id, mut fields), deliveries)| Delivery {
            area: area.to_owned(),
            id,
            envelope: envelope(&mut fields),
            deliveries,
        });
        Ok(Claimed {
            deliveries: deliveries.collect(),
            lost,
        })
    }

    async fn acknowledge(&self, reader: &Reader, area: &str, id: &str) -> Result<(), StreamError> {
        let group = reader.group.as_str();
        self.run(self.commands.xack(key(area), group, id)).await
    }

    async fn make_group(&self, group: &str, area: &str) -> Result<(), StreamError> {
        let made: Result<(), fred::error::Error> = match tokio::time::timeout(
            self.timeout,
            self.commands.xgroup_create(key(area), group, "0", true),
        )
        .await
        {
            Ok(made) => made,
            Err(_) => return Err(StreamError::Unavailable("no answer in time".into())),
        };
        match made {
            Err(error) if !error.details().contains("BUSYGROUP") => Err(understood(&error)),
            _ => Ok(()),
        }
    }

    async fn server_run(&self) -> Result<String, StreamError> {
        let script = "return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')";
        self.run(
            self.commands
                .eval(script, Vec::<String>::new(), Vec::<String>::new()),
        )
        .await
    }

    async fn mark(&self, group: &str) -> Result<Option<String>, StreamError> {
        self.run(self.commands.get(mark_key(group))).await
    }

    async fn set_mark(&self, group: &str, mark: Option<String>) -> Result<(), StreamError> {
        match mark {
            Some(mark) => {
                self.run(self.commands.set(mark_key(group), mark, None, None, false))
                    .await
            }
            None => self.run(self.commands.del(mark_key(group))).await,
        }
    }
}
