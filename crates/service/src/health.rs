//! Liveness and readiness.

use crate::access::{Routes, Rule};
use crate::clock;
use crate::extract::Json;
use crate::limit::RateClass;
use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as ApiResponse, StatusCode as ApiStatus};
use axum::response::{IntoResponse, Response};
use contracts::health::{Check, Health, Readiness};
use http::StatusCode;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A check that takes longer has failed. Less than what a [probe](crate::probe) waits, so that it hears so.
const CHECK_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How long an answer is given again, so that a flood of `/ready` is not a flood of queries.
const REMEMBERED: Duration = Duration::from_millis(200);

type Outcome = Result<(), String>;
type CheckFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One thing a service needs: a name and a way to try it.
#[derive(Clone)]
pub struct ReadyCheck {
    name: &'static str,
    run: Arc<dyn Fn() -> CheckFuture + Send + Sync>,
}

impl fmt::Debug for ReadyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadyCheck").field(&self.name).finish()
    }
}

impl ReadyCheck {
    /// `run` says `Err` with the reason, which only the ops port and the log show.
    pub fn new<F, R>(name: &'static str, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        Self {
            name,
            run: Arc::new(move || Box::pin(run())),
        }
    }

    async fn outcome(self) -> CheckOutcome {
        let outcome = tokio::time::timeout(CHECK_TIMEOUT, (self.run)())
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()));
        CheckOutcome {
            name: self.name,
            problem: outcome.err(),
        }
    }
}

/// What one check found.
#[derive(Debug, Clone)]
pub struct CheckOutcome {
    /// The check.
    pub name: &'static str,
    /// Why it failed, if it did.
    pub problem: Option<String>,
}

/// Whether the service can do its work now.
#[derive(Debug, Clone)]
pub struct ReadyChecks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    checks: Vec<ReadyCheck>,
    draining: AtomicBool,
    last: Mutex<Option<(Instant, Vec<CheckOutcome>)>>,
}

impl ReadyChecks {
    /// Ready when all `checks` pass and the service is not shutting down.
    pub fn new(checks: Vec<ReadyCheck>) -> Self {
        Self(Arc::new(Inner {
            checks,
            draining: AtomicBool::new(false),
            last: Mutex::new(None),
        }))
    }

    /// From now on not ready, whatever the checks say: the service is going away.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Runs all checks at once, or repeats a very recent answer.
    pub async fn outcomes(&self) -> Vec<CheckOutcome> {
        let mut last = self.0.last.lock().await;
        let mut outcomes = match last.as_ref() {
            Some((at, outcomes)) if at.elapsed() < REMEMBERED => outcomes.clone(),
            _ => {
                let running: Vec<_> = self
                    .0
                    .checks
                    .iter()
                    .map(|check| tokio::spawn(check.clone().outcome()))
                    .collect();
                let mut outcomes = Vec::with_capacity(running.len());
                for (check, task) in self.0.checks.iter().zip(running) {
                    outcomes.push(task.await.unwrap_or_else(|_| CheckOutcome {
                        name: check.name,
                        problem: Some("the check failed to run".to_owned()),
                    }));
                }
                *last = Some((Instant::now(), outcomes.clone()));
                outcomes
            }
        };
        drop(last);
        if self.0.draining.load(Ordering::Relaxed) {
            outcomes.push(CheckOutcome {
                name: "draining",
                problem: Some("the service is shutting down".to_owned()),
            });
        }
        outcomes
    }

    async fn answer(&self) -> ReadyAnswer {
        let outcomes = self.outcomes().await;
        let ready = outcomes.iter().all(|outcome| outcome.problem.is_none());
        ReadyAnswer(Readiness {
            status: if ready { "ready" } else { "not ready" }.to_owned(),
            timestamp: clock::now_rfc3339(),
            checks: outcomes
                .into_iter()
                .map(|outcome| Check {
                    name: outcome.name.to_owned(),
                    ok: outcome.problem.is_none(),
                })
                .collect(),
        })
    }
}

/// `GET /health` and `GET /ready`.
pub fn routes(checks: ReadyChecks) -> Routes {
    let rule = Rule::public(RateClass::Unlimited);
    Routes::new()
        .get("/health", rule, health, |op| {
            op.id("health").summary("The process answers").tag("health")
        })
        .get(
            "/ready",
            rule,
            move || {
                let checks = checks.clone();
                async move { checks.answer().await }
            },
            |op| {
                op.id("ready")
                    .summary("The service can do its work")
                    .tag("health")
            },
        )
}

async fn health() -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        timestamp: clock::now_rfc3339(),
    })
}

struct ReadyAnswer(Readiness);

impl IntoResponse for ReadyAnswer {
    fn into_response(self) -> Response {
        let status = if self.0.status == "ready" {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        (status, Json::<_>(self.0) as Json<Readiness>).into_response()
    }
}

impl OperationOutput for ReadyAnswer {
    type Inner = Readiness;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<ApiResponse> {
        <Json<Readiness>>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<ApiStatus>, ApiResponse)> {
        [200, 503]
            .into_iter()
            .filter_map(|status| {
                let response = Self::operation_response(context, operation)?;
                Some((Some(ApiStatus::Code(status)), response))
            })
            .collect()
    }
}
