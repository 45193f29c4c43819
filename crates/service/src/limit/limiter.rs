//! The limiter: Redis, and what happens without it.

use super::ahead::Ahead;
use super::gcra::{Pace, Taken};
use super::key::{Caller, Digest};
use super::local::Local;
use super::{Decision, RateClass, RateKey, RateLimit, RateLimits};
use crate::ApiError;
use crate::redis::{Redis, RedisError, Script, Scripts as _};
use contracts::Code;
use http::HeaderValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

static TAKE: Script = Script::new(include_str!("take.lua"));
static TELL: Script = Script::new(include_str!("tell.lua"));

/// From here on a limit is counted ahead of Redis.
const HIGH: u32 = 1_000;

/// After a failure Redis is left alone for so long, and is then asked by one request, not by all that wait.
const PAUSE: Duration = Duration::from_millis(500);

/// Counts calls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limiter(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Arc<Inner>,
    teller: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.teller.abort();
    }
}

#[derive(Debug)]
struct Inner {
    redis: Redis,
    rules: [Option<Rule>; RateClass::ALL.len()],
    begin: Instant,
    /// When Redis may be asked again, in milliseconds since `begin`; 0 while it answers.
    retry_at: AtomicU64,
    ahead: Ahead,
    local: Local,
}

#[derive(Debug)]
struct Rule {
    limit: RateLimit,
    /// Whether calls are admitted before Redis knows of them.
    ahead: bool,
    policy: HeaderValue,
    prefix: String,
    arguments: [u64; 3],
    pace: Pace,
    /// Half of it.
    local: Pace,
}

impl Limiter {
    /// Counts in `redis`, which need not be up yet. Call it within the runtime, which gets a task of it.
    pub fn new(redis: Redis, limits: RateLimits) -> Self {
        let inner = Arc::new(Inner {
            redis,
            rules: RateClass::ALL
                .map(|class| limits.of(class).map(|limit| Rule::new(class, limit))),
            begin: Instant::now(),
            retry_at: AtomicU64::new(0),
            ahead: Ahead::default(),
            local: Local::default(),
        });
        let teller = tokio::spawn(tell(Arc::clone(&inner))).abort_handle();
        Self(Arc::new(Shared { inner, teller }))
    }

    /// Counts a call of `who`; nothing is counted of a class without a limit.
    ///
    /// # Errors
    /// 429 over the limit. While Redis does not answer, half of the limit holds, for each instance, but money is not
    /// moved: 503.
    pub async fn check(
        &self,
        class: RateClass,
        who: &RateKey,
    ) -> Result<Option<Decision>, ApiError> {
        let inner = &*self.0.inner;
        let Some(rule) = inner.rules.get(class as usize).and_then(Option::as_ref) else {
            return Ok(None);
        };
        let caller = who.caller(class);
        let ahead = if rule.ahead && inner.retry_at.load(Ordering::Relaxed) == 0 {
            inner.ahead.take(caller, rule.limit.limit, rule.pace)
        } else {
            None
        };
        let taken = match ahead {
            Some(taken) => taken,
            None => Box::pin(inner.take(rule, &caller)).await?,
        };
        let decision = Decision {
            policy: rule.policy.clone(),
            limit: rule.limit.limit,
            remaining: u32::try_from(taken.remaining).unwrap_or(u32::MAX),
            reset: Duration::from_micros(taken.reset),
        };
        if taken.admitted {
            return Ok(Some(decision));
        }
        metrics::counter!(telemetry::metrics::RATE_LIMITED, "class" => class.as_str()).increment(1);
        Err(ApiError::of(Code::RateLimited)
            .with_retry_after(Duration::from_micros(taken.wait))
            .with_limit(decision))
    }
}

impl Inner {
    /// Asks Redis; without it half of the limit holds, but money is not moved.
    async fn take(&self, rule: &Rule, caller: &Caller) -> Result<Taken, ApiError> {
        let name = self
            .name(caller)
            .ok_or_else(|| ApiError::internal(&"no key for the limiter"))?;
        match self.shared(rule, &name).await {
            Ok(taken) => Ok(taken),
            Err(error) if caller.class() == RateClass::Money => Err(error.into()),
            Err(_) => Ok(self.local.take(name, rule.local)),
        }
    }

    /// What the caller is called in Redis.
    fn name(&self, caller: &Caller) -> Option<Digest> {
        caller.digest(self.redis.secret())
    }

    /// Asks Redis, unless it was found to be down a moment ago.
    async fn shared(&self, rule: &Rule, name: &Digest) -> Result<Taken, RedisError> {
        let paused = self.retry_at.load(Ordering::Relaxed);
        if paused != 0 && !self.may_try(paused) {
            return Err(RedisError::Unavailable("left alone for a moment".into()));
        }
        let keys = vec![rule.key(name)];
        let answer = self.redis.run_script(&TAKE, keys, &rule.arguments).await;
        match answer.and_then(|numbers| read(&numbers)) {
            Ok(taken) => {
                if paused != 0 {
                    self.retry_at.store(0, Ordering::Relaxed);
                    self.local.clear();
                    tracing::info!("limits are counted in Redis again");
                }
                Ok(taken)
            }
            Err(error) => {
                self.pause(&error);
                Err(error)
            }
        }
    }

    /// Tells Redis of some calls that were admitted without it, and learns of others; whether there may be more.
    async fn tell_some(&self) -> Result<bool, RedisError> {
        let untold = self.ahead.untold();
        let (mut told, mut keys, mut arguments) = (Vec::new(), Vec::new(), Vec::new());
        for it in untold {
            let rule = self.rules.get(it.caller.class() as usize);
            if let (Some(Some(rule)), Some(name)) = (rule, self.name(&it.caller)) {
                let [limit, period, _] = rule.arguments;
                keys.push(rule.key(&name));
                arguments.extend([limit, period, it.calls]);
                told.push((it.caller, rule.pace));
            }
        }
        if keys.is_empty() {
            return Ok(false);
        }
        let resets = self.redis.run_script(&TELL, keys, &arguments).await?;
        if resets.len() != told.len() {
            return Err(unreadable());
        }
        for ((caller, pace), reset) in told.into_iter().zip(resets) {
            self.ahead
                .learn(caller, reset.try_into().unwrap_or_default(), pace);
        }
        Ok(true)
    }

    /// Leaves Redis alone for a moment.
    fn pause(&self, cause: &RedisError) {
        let before = self.retry_at.swap(self.soon(), Ordering::Relaxed);
        self.ahead.clear();
        if before == 0 {
            tracing::warn!(%cause, "limits are counted by this instance alone");
        }
    }

    /// Whether the pause until `paused` is over and nobody else tries.
    fn may_try(&self, paused: u64) -> bool {
        self.now() >= paused
            && self
                .retry_at
                .compare_exchange(paused, self.soon(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn soon(&self) -> u64 {
        let pause = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
        self.now().saturating_add(pause)
    }
}

/// Keeps Redis told, for as long as it is not aborted.
async fn tell(inner: Arc<Inner>) {
    loop {
        inner.ahead.due().await;
        loop {
            match inner.tell_some().await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    inner.pause(&error);
                    break;
                }
            }
        }
    }
}

impl Rule {
    fn new(class: RateClass, limit: RateLimit) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let policy = format!("{};w={}", limit.limit, limit.period.as_secs());
        let half = RateLimit {
            limit: limit.limit.div_ceil(2),
            ..limit
        };
        // The two ways to count keep different things, so a changed configuration begins anew.
        let way = if limit.block.is_zero() { "g" } else { "w" };
        Self {
            limit,
            ahead: limit.limit >= HIGH && limit.block.is_zero() && class != RateClass::Money,
            policy: HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("")),
            prefix: format!("limit:{way}:{}:", class.as_str()),
            arguments: [
                u64::from(limit.limit),
                micros(limit.period),
                micros(limit.block),
            ],
            pace: Pace::new(limit),
            local: Pace::new(half),
        }
    }

    fn key(&self, caller: &Digest) -> String {
        let mut name = [0; 32];
        let mut key = String::with_capacity(self.prefix.len().saturating_add(name.len()));
        key.push_str(&self.prefix);
        if hex::encode_to_slice(caller, &mut name).is_ok() {
            key.push_str(std::str::from_utf8(&name).unwrap_or_default());
        }
        key
    }
}

fn read(numbers: &[i64]) -> Result<Taken, RedisError> {
    match *numbers {
        [admitted, remaining, reset, wait] => Ok(Taken {
            admitted: admitted == 1,
            remaining: remaining.try_into().unwrap_or_default(),
            reset: reset.try_into().unwrap_or_default(),
            wait: wait.try_into().unwrap_or_default(),
        }),
        _ => Err(unreadable()),
    }
}

fn unreadable() -> RedisError {
    RedisError::Unavailable("an answer of another form".into())
}
