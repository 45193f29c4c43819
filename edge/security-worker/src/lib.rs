//! The Worker at the route: lets good requests through to vau-processor, and answers the others itself. Thin: what
//! is right and wrong is decided in `edge-core`.

mod bindings;
mod forward;
mod routes;

use bindings::Bindings;
use worker::{Context, Env, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    routes::answer(request, &Bindings::new(env)).await
}
