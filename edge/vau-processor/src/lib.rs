//! The Worker that takes signed VAUs in. Thin: what is right and wrong is decided in `edge-core`, what is
//! kept in `durable-objects`; here is the plumbing to WebCrypto, the network and the queue.

#[cfg_attr(
    not(feature = "vectors"),
    expect(
        dead_code,
        reason = "until VAUs are judged by it, only its tests call it"
    )
)]
mod attest;
#[cfg(feature = "vectors")]
mod attest_vectors;
mod auth;
mod backend;
mod consumer;
mod health;
mod http;
mod routes;
mod shard;
#[cfg(feature = "vectors")]
mod staking_vectors;
mod vau;
#[cfg(feature = "vectors")]
mod vectors;
mod webcrypto;
#[cfg_attr(
    not(feature = "vectors"),
    expect(dead_code, reason = "as `attest`, which calls it")
)]
mod webcrypto_cose;

pub use durable_objects::{AuditLog, VauShard};

use durable_objects::Bindings;
use worker::{Context, Env, MessageBatch, Request, Response, event};

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
