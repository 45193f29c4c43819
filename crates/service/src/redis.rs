//! Redis, behind a small trait of our own so that the client can be swapped.

use crate::config::RedisConfig;
use crate::health::ReadyCheck;
use fred::bytes_utils::Str;
use fred::clients::{Client, WithOptions};
use fred::interfaces::{ClientLike as _, KeysInterface as _, LuaInterface as _};
use fred::types::config::{Config, Options, ReconnectPolicy, UnresponsiveConfig};
use fred::types::{Builder, Expiration, SetOptions, Value};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Redis did not do what was asked. Nothing is known of whether it had an effect.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// The URL cannot be used.
    #[error("the Redis URL cannot be used: {0}")]
    Url(String),
    /// Not connected, no answer in time, or an error answer.
    #[error("redis: {0}")]
    Unavailable(String),
}

/// Values that expire and can be taken once.
pub trait OneTimeStore: Send + Sync {
    /// Stores `value` under `key` for `ttl` unless the key exists. Says whether it was stored.
    fn put_new(
        &self,
        key: &str,
        value: String,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, RedisError>> + Send;

    /// Removes the value of `key` and returns it: of any number of callers, one gets it.
    fn take(&self, key: &str) -> impl Future<Output = Result<Option<String>, RedisError>> + Send;
}

/// What Redis does in one step, without anything in between.
#[derive(Debug)]
pub struct Script {
    text: &'static str,
    /// What Redis calls it, once it has told us.
    name: OnceLock<Str>,
}

impl Script {
    /// A script in Lua.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            name: OnceLock::new(),
        }
    }
}

/// Scripts that work on keys with numbers and answer numbers.
pub trait Scripts: Send + Sync {
    /// Runs `script`: in one round trip, but for the first time and after Redis has forgotten it.
    fn run_script(
        &self,
        script: &Script,
        keys: Vec<String>,
        arguments: &[u64],
    ) -> impl Future<Output = Result<Vec<i64>, RedisError>> + Send;
}

/// One connection, shared by all requests. Reconnects for ever; while it is down every command fails at
/// once instead of waiting in a queue.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    quick: WithOptions<Client>,
    timeout: Duration,
    secret: [u8; 32],
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redis")
    }
}

impl Redis {
    /// Starts connecting in the background; a service starts while Redis is down.
    pub fn connect(config: &RedisConfig) -> Result<Self, RedisError> {
        let timeout = config.command_timeout();
        let mut client = Config::from_url(config.url.expose_secret())
            .map_err(|error| RedisError::Url(error.details().to_owned()))?;
        client.fail_fast = false;
        let secret = Sha256::new()
            .chain_update(b"twist names in redis\0")
            .chain_update(client.password.as_deref().unwrap_or_default())
            .finalize()
            .into();
        let client = Builder::from_config(client)
            .with_connection_config(|connection| {
                connection.connection_timeout = Duration::from_secs(2);
                connection.internal_command_timeout = timeout;
                connection.max_command_attempts = 1;
                connection.max_command_buffer_len = 10_000;
                connection.auto_client_setname = false;
                connection.reconnect_on_auth_error = true;
                connection.tcp.nodelay = Some(true);
                connection.unresponsive = UnresponsiveConfig {
                    max_timeout: Some(timeout.saturating_mul(3)),
                    interval: Duration::from_millis(500),
                };
            })
            .with_performance_config(|performance| {
                performance.default_command_timeout = timeout;
            })
            .set_policy(ReconnectPolicy::new_exponential(0, 50, 1_000, 2))
            .build()
            .map_err(|error| RedisError::Url(error.details().to_owned()))?;
        // The task ends when the client is dropped; its result says nothing that a command does not.
        drop(client.connect());
        let quick = client.with_options(&Options {
            fail_fast: true,
            max_attempts: Some(1),
            timeout: Some(timeout),
            ..Options::default()
        });
        Ok(Self(Arc::new(Inner {
            client,
            quick,
            timeout,
            secret,
        })))
    }

    /// Known to all who know the password of this Redis, and to nobody else: keys that stand for people are made
    /// with it.
    pub(crate) fn secret(&self) -> &[u8] {
        &self.0.secret
    }

    /// An error, soon, when Redis does not answer.
    pub async fn ping(&self) -> Result<(), RedisError> {
        self.run(self.0.quick.ping::<()>(None)).await
    }

    /// `redis`: it answers a ping.
    pub fn ready_check(&self) -> ReadyCheck {
        let redis = self.clone();
        ReadyCheck::new("redis", move || {
            let redis = redis.clone();
            async move { redis.ping().await.map_err(|error| error.to_string()) }
        })
    }

    /// Runs one command, under a time limit of our own too: a request never hangs on Redis.
    async fn run<T>(
        &self,
        command: impl Future<Output = Result<T, fred::error::Error>>,
    ) -> Result<T, RedisError> {
        if !self.0.client.is_connected() {
            return Err(RedisError::Unavailable("not connected".into()));
        }
        match tokio::time::timeout(self.0.timeout, command).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(RedisError::Unavailable(error.to_string())),
            Err(_) => Err(RedisError::Unavailable("no answer in time".into())),
        }
    }
}

impl OneTimeStore for Redis {
    async fn put_new(&self, key: &str, value: String, ttl: Duration) -> Result<bool, RedisError> {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let stored: Option<String> = self
            .run(self.0.quick.set(
                key,
                value,
                Some(Expiration::PX(ttl)),
                Some(SetOptions::NX),
                false,
            ))
            .await?;
        Ok(stored.is_some())
    }

    async fn take(&self, key: &str) -> Result<Option<String>, RedisError> {
        self.run(self.0.quick.getdel(key)).await
    }
}

impl Scripts for Redis {
    async fn run_script(
        &self,
        script: &Script,
        keys: Vec<String>,
        arguments: &[u64],
    ) -> Result<Vec<i64>, RedisError> {
        let arguments: Vec<Value> = arguments
            .iter()
            .map(|number| Value::Integer(i64::try_from(*number).unwrap_or(i64::MAX)))
            .collect();
        let name = if let Some(name) = script.name.get() {
            name
        } else {
            let name: Str = self.run(self.0.quick.script_load(script.text)).await?;
            script.name.get_or_init(|| name)
        };
        self.run(async {
            let quick = &self.0.quick;
            match quick
                .evalsha(name.clone(), keys.clone(), arguments.clone())
                .await
            {
                // It was restarted or told to forget; this teaches it again.
                Err(error) if error.details().starts_with("NOSCRIPT") => {
                    quick.eval(script.text, keys, arguments).await
                }
                answer => answer,
            }
        })
        .await
    }
}
