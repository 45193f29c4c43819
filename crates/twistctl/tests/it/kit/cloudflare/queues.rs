//! Queues: messages that are looked at, leased, acknowledged and given back.

use super::wire::{Reply, Request};
use super::{State, ok};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) messages: Vec<StoredMessage>,
}

#[derive(Clone, Debug)]
pub(crate) struct StoredMessage {
    pub(crate) kind: String,
    /// As the sender wrote it.
    pub(crate) body: Vec<u8>,
    pub(crate) attempts: u32,
    pub(crate) leased: bool,
}

impl StoredMessage {
    pub(crate) fn new(kind: &str, body: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            body: body.as_bytes().to_vec(),
            attempts: 0,
            leased: false,
        }
    }

    fn shown(&self, at: usize) -> Value {
        let body = if self.kind == "text" {
            String::from_utf8(self.body.clone()).unwrap()
        } else {
            STANDARD.encode(&self.body)
        };
        json!({
            "id": format!("message-{at}"),
            "body": body,
            "attempts": self.attempts,
            "timestamp_ms": 1,
            "metadata": { "CF-Content-Type": self.kind, "CF-sourceMessageSource": "worker" },
        })
    }
}

pub(crate) fn route(state: &mut State, request: &Request, rest: &[&str]) -> Reply {
    let wanted = request.json();
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            // One to a page, so that the pages are read.
            let page: usize = request.query("page").unwrap_or("1").parse().unwrap();
            let found: Vec<Value> = state
                .queues
                .keys()
                .skip(page - 1)
                .take(1)
                .map(|name| json!({ "queue_id": format!("id-of-{name}"), "queue_name": name }))
                .collect();
            let pages = state.queues.len();
            Reply::json(
                200,
                &json!({
                    "success": true, "errors": [], "messages": [], "result": found,
                    "result_info": { "page": page, "per_page": 1, "total_pages": pages, "total_count": pages },
                }),
            )
        }
        ("POST", [id, "messages", rest @ ..]) => {
            let name = id.strip_prefix("id-of-").unwrap_or_default();
            let Some(queue) = state.queues.get_mut(name) else {
                return Reply::refused(404, 0, "Queue not found");
            };
            match rest {
                [] => push(queue, &wanted),
                ["peek"] => ok(&json!({ "messages": peek(queue, &wanted) })),
                ["pull"] => ok(&json!({ "messages": pull(queue, &wanted) })),
                ["ack"] => acknowledge(queue, &wanted),
                _ => Reply::refused(404, 7000, "No route for that URI"),
            }
        }
        _ => Reply::refused(404, 7000, "No route for that URI"),
    }
}

fn push(queue: &mut Stored, wanted: &Value) -> Reply {
    let kind = wanted["content_type"].as_str().unwrap_or("json");
    let body = match kind {
        "text" => wanted["body"].as_str().unwrap().to_owned(),
        _ => wanted["body"].to_string(),
    };
    if body.len() > 128_000 {
        return Reply::refused(413, 0, "message too large");
    }
    queue.messages.push(StoredMessage::new(kind, &body));
    ok(&json!({}))
}

fn batch(wanted: &Value) -> usize {
    let size = wanted["batch_size"].as_u64().unwrap_or(5);
    assert!((1..=100).contains(&size));
    usize::try_from(size).unwrap()
}

fn peek(queue: &Stored, wanted: &Value) -> Vec<Value> {
    let free = queue
        .messages
        .iter()
        .enumerate()
        .filter(|(_, message)| !message.leased);
    free.take(batch(wanted))
        .map(|(at, message)| message.shown(at))
        .collect()
}

fn pull(queue: &mut Stored, wanted: &Value) -> Vec<Value> {
    assert!(wanted["visibility_timeout_ms"].as_u64().unwrap() >= 1000);
    let free = queue
        .messages
        .iter_mut()
        .enumerate()
        .filter(|(_, message)| !message.leased);
    free.take(batch(wanted))
        .map(|(at, message)| {
            message.leased = true;
            message.attempts += 1;
            let mut shown = message.shown(at);
            shown["lease_id"] = json!(format!("lease-{at}"));
            shown
        })
        .collect()
}

fn acknowledge(queue: &mut Stored, wanted: &Value) -> Reply {
    let at = |lease: &Value| -> usize {
        lease["lease_id"]
            .as_str()
            .unwrap()
            .strip_prefix("lease-")
            .unwrap()
            .parse()
            .unwrap()
    };
    let mut gone: Vec<usize> = wanted["acks"].as_array().unwrap().iter().map(at).collect();
    for lease in wanted["retries"].as_array().unwrap() {
        queue.messages[at(lease)].leased = false;
    }
    gone.sort_unstable();
    for at in gone.into_iter().rev() {
        queue.messages.remove(at);
    }
    ok(&json!({ "ackCount": 0, "retryCount": 0 }))
}
