//! The least a Rust Worker can be: reads the body and answers. What the real ones cost is compared with it.

use worker::{Context, Env, Request, Response, event};

#[event(fetch)]
async fn fetch(mut request: Request, _env: Env, _context: Context) -> worker::Result<Response> {
    let body = request.bytes().await?;
    Response::from_json(&serde_json::json!({ "success": true, "bytes": body.len() }))
}
