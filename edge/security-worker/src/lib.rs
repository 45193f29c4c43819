//! The Worker at the route: lets good requests through to vau-processor, and answers the others itself. Thin: what
//! is right and wrong is decided in `edge-core`.

mod audit;
mod bindings;
mod challenge;
mod forward;
mod limits;
mod routes;

use bindings::Bindings;
use worker::{Context, Env, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    routes::answer(request, &Bindings::new(env), &context).await
}
