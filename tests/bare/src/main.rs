//! The least that a route can cost: axum on hyper, no layers, a text of the length of a small answer.
//!
//! `bare PORT` serves `GET /` on the loopback address until it is killed.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("a port")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let app = Router::new().route("/", get(async || BODY));
    Ok(axum::serve(listener, app).await?)
}

const BODY: &str =
    r#"{"asset":"TWIST","decimals":9,"available":"0","asOf":"2026-01-01T00:00:00Z"}"#;
