//! The limiter: Redis, and what happens without it.

use super::gcra::{Pace, Taken};
use super::key::Digest;
use super::local::Local;
use super::{Decision, RateClass, RateKey, RateLimit, RateLimits};
use crate::ApiError;
use crate::redis::{Redis, RedisError, Script, Scripts as _};
use contracts::Code;
use http::HeaderValue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static TAKE: Script = Script::new(include_str!("take.lua"));

/// After a failure Redis is left alone for so long, and is then asked by one request, not by all that wait.
const PAUSE: Duration = Duration::from_millis(500);

/// Counts calls. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redis: Redis,
    rules: [Option<Rule>; RateClass::ALL.len()],
    begin: Instant,
    /// When Redis may be asked again, in milliseconds since `begin`; 0 while it answers.
    retry_at: AtomicU64,
    local: Local,
}

#[derive(Debug)]
struct Rule {
    limit: RateLimit,
    policy: HeaderValue,
    prefix: String,
    arguments: [u64; 3],
    /// Half of it.
    local: Pace,
}

impl Limiter {
    /// Counts in `redis`, which need not be up yet.
    pub fn new(redis: Redis, limits: RateLimits) -> Self {
        Self(Arc::new(Inner {
            redis,
            rules: RateClass::ALL
                .map(|class| limits.of(class).map(|limit| Rule::new(class, limit))),
            begin: Instant::now(),
            retry_at: AtomicU64::new(0),
            local: Local::default(),
        }))
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
        let inner = &*self.0;
        let Some(rule) = inner.rules.get(class as usize).and_then(Option::as_ref) else {
            return Ok(None);
        };
        let caller = who
            .digest(class, inner.redis.secret())
            .ok_or_else(|| ApiError::internal(&"no key for the limiter"))?;
        let taken = match inner.shared(rule, &caller).await {
            Ok(taken) => taken,
            Err(error) if class == RateClass::Money => return Err(error.into()),
            Err(_) => inner.local.take(caller, rule.local),
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
    /// Asks Redis, unless it was found to be down a moment ago.
    async fn shared(&self, rule: &Rule, caller: &Digest) -> Result<Taken, RedisError> {
        let paused = self.retry_at.load(Ordering::Relaxed);
        if paused != 0 && !self.may_try(paused) {
            return Err(RedisError::Unavailable("left alone for a moment".into()));
        }
        let mut name = [0; 32];
        let mut key = String::with_capacity(rule.prefix.len().saturating_add(name.len()));
        key.push_str(&rule.prefix);
        if hex::encode_to_slice(caller, &mut name).is_ok() {
            key.push_str(std::str::from_utf8(&name).unwrap_or_default());
        }
        let answer = self.redis.run_script(&TAKE, key, rule.arguments).await;
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
                let before = self.retry_at.swap(self.soon(), Ordering::Relaxed);
                if before == 0 {
                    tracing::warn!(cause = %error, "limits are counted by this instance alone");
                }
                Err(error)
            }
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
            policy: HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("")),
            prefix: format!("limit:{way}:{}:", class.as_str()),
            arguments: [
                u64::from(limit.limit),
                micros(limit.period),
                micros(limit.block),
            ],
            local: Pace::new(half),
        }
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
        _ => Err(RedisError::Unavailable("an answer of another form".into())),
    }
}
