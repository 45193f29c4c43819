//! A backend that takes segments, as far as a replay can tell.

use super::http::serve;
use domain::EpochMs;
use domain::http_hmac::SignedRequest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const SECRET: &str = "a-secret-of-forty-characters-or-so-......";
const PATH: &str = "/internal/v1/vau-batches";

/// A backend that checks signatures and counts each segment's items once.
#[derive(Default)]
pub(crate) struct Backend {
    pub(crate) seen: BTreeSet<String>,
    pub(crate) posts: Vec<String>,
    /// Statuses to answer with before anything else.
    pub(crate) answers: Vec<u16>,
    /// A segment that is always refused.
    pub(crate) refused: Option<String>,
}

fn handle(backend: &mut Backend, stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    let timestamp = EpochMs::new(header("x-timestamp")?.parse().ok()?).ok()?;
    let signed = SignedRequest {
        method: "POST",
        path: PATH,
        timestamp,
        body: &body,
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let now = EpochMs::new(u64::try_from(now).unwrap()).unwrap();
    let holds = header("x-key-id") == Some("edge-1")
        && signed
            .verify(SECRET.as_bytes(), header("x-hmac-signature")?, now)
            .is_ok()
        && head.starts_with(&format!("POST {PATH} HTTP/1.1\r\n"));
    let segment: Value = serde_json::from_slice(&body).unwrap_or_default();
    let id = segment["segmentId"].as_str().unwrap_or_default().to_owned();
    backend.posts.push(id.clone());
    let status = if !holds {
        401
    } else if let Some(status) = backend.answers.pop() {
        status
    } else if backend.refused.as_ref() == Some(&id) {
        422
    } else {
        200
    };
    let count = segment["items"].as_array().map_or(0, Vec::len);
    let new = status == 200 && backend.seen.insert(id.clone());
    let (counted, duplicates) = if new { (count, 0) } else { (0, count) };
    let receipt = json!({
        "segmentId": id, "counted": counted, "duplicates": duplicates,
        "quarantined": [{ "index": 0, "reason": "unreadable" }],
    });
    let body = if status == 200 {
        receipt.to_string()
    } else {
        String::new()
    };
    write!(
        stream,
        "HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

pub(crate) fn serve_backend() -> (Arc<Mutex<Backend>>, String) {
    let backend = Arc::new(Mutex::new(Backend::default()));
    let shared = backend.clone();
    let url = serve(move |mut stream| {
        handle(&mut shared.lock().unwrap(), &mut stream);
    });
    (backend, url)
}

/// The segment number `number`, of three items, and its id.
pub(crate) fn segment(number: u32) -> (String, String) {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    // Spaces and an order of its own: the bytes that are posted are the bytes that were kept.
    let body = format!(
        "{{\"version\": 1, \"shard\":\"shard-0\",  \"segmentId\":\"{id}\",\"items\":[{{}}, {{}},3]}}"
    );
    (id, body)
}

pub(crate) fn ids(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| segment(*number).0).collect()
}
