//! The Worker that takes signed VAUs in.
pub use durable_objects::VauShard;
use worker::{Context, Env, Request, Response, event};
#[event(fetch)]
async fn handle(_r: Request, _e: Env, _c: Context) -> worker::Result<Response> {
    Response::ok("hi")
}
#[event(queue)]
async fn consume(_r: worker::MessageBatch<String>, _e: Env, _c: Context) -> worker::Result<()> {
    Ok(())
}
