//! Trying again, where that can do no harm.

use crate::{Answer, ClientError};
use reqwest::{Method, Request};
use std::time::Duration;

/// The header that makes a request one effect, however often it is sent.
const KEY: &str = "idempotency-key";

/// When and how often a call is tried again.
///
/// Only what the platform calls `retryable`, or what got no answer; and only requests that have one effect however
/// often they are sent: reads, deletions, and those with an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often a call is made at most, the first time included.
    pub attempts: u32,
    /// The longest pause after the first failure; doubled after each further one.
    pub first: Duration,
    /// No pause is longer. A call that the platform wants to be made later than that is not made again.
    pub longest: Duration,
}

impl Default for Retry {
    /// Five times, with pauses from 0.2 s on, up to 30 s.
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(30),
        }
    }
}

impl Retry {
    /// Makes every call once.
    pub const NEVER: Self = Self {
        attempts: 1,
        first: Duration::ZERO,
        longest: Duration::ZERO,
    };

    /// How long to wait before `request` is sent again after it was sent `made` times; `None` when it is not to be.
    pub(crate) fn pause(
        &self,
        request: &Request,
        made: u32,
        result: &Result<Answer, ClientError>,
    ) -> Option<Duration> {
        if made >= self.attempts || !is_repeatable(request) {
            return None;
        }
        let asked = match result {
            Ok(answer) => {
                let problem = answer.problem().filter(|problem| problem.retryable);
                problem.map(|_| answer.retry_after().unwrap_or_default())?
            }
            Err(ClientError::Unreachable { .. }) => Duration::ZERO,
            Err(_) => return None,
        };
        if asked > self.longest {
            return None;
        }
        let doubled = 2u32.saturating_pow(made.saturating_sub(1));
        let most = self.first.saturating_mul(doubled).min(self.longest);
        // Full jitter, so that those who failed together do not come back together; never sooner than asked for.
        Some(asked.saturating_add(part_of(most)))
    }
}

fn is_repeatable(request: &Request) -> bool {
    matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE
    ) || request.headers().contains_key(KEY)
}

/// Anything from nothing to `most`.
fn part_of(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return most;
    }
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    let part = (u128::from(most) * u128::from(u32::from_le_bytes(bytes))) >> 32;
    Duration::from_micros(u64::try_from(part).unwrap_or(most))
}
