//! The Worker that takes signed VAUs in. Thin: what is right and wrong is decided in `edge-core`, what is
//! kept in `durable-objects`; here is the plumbing to WebCrypto, the network and the queue.

mod attest;
#[cfg(feature = "vectors")]
mod attest_vectors;
mod auth;
mod backend;
mod batch;
mod caller;
mod cohorts;
mod consumer;
mod evidence;
mod health;
mod http;
mod intake;
mod operator;
mod routes;
mod shard;
#[cfg(feature = "vectors")]
mod staking_vectors;
mod status;
mod vau;
#[cfg(feature = "vectors")]
mod vectors;
mod webcrypto;
mod webcrypto_cose;

pub use durable_objects::{AuditLog, CohortCensus, RateLimiter, VauShard};

use durable_objects::{Bindings, log_error};
use worker::{
    Context, Env, MessageBatch, Request, Response, ScheduleContext, ScheduledEvent, event,
};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    routes::answer(request, &Bindings::new(env)).await
}

/// Never fails: an error here would become a panic, and with it the end of every request in the isolate.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> worker::Result<()> {
    consumer::deliver(&batch, &Bindings::new(env)).await;
    Ok(())
}

/// Every hour: an object that nobody calls still closes its hours and throws away what is old.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(error) = shard::tick(&Bindings::new(env)).await {
        log_error("the shard could not be asked", &error);
    }
}
