//! Queues over HTTP.

use crate::edge::api::{Api, ApiError, Body, Call};
use serde::Deserialize;
use serde_json::{Value, json};

/// A queue of the account.
#[derive(Debug, Clone, Deserialize)]
pub struct Queue {
    /// Names it in addresses.
    pub queue_id: String,
    /// Names it to people and bindings.
    pub queue_name: String,
}

/// A message that was handed out.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// Names it.
    pub id: String,
    /// How often it was handed out.
    #[serde(default)]
    pub attempts: u32,
    /// Text, or base64 for the content types `json` and `bytes`.
    pub body: String,
    /// With `CF-Content-Type`.
    #[serde(default)]
    pub metadata: Value,
    /// For the acknowledgement; none on a message that was only looked at.
    #[serde(default)]
    pub lease_id: String,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(default)]
    messages: Vec<Message>,
}

impl Api {
    /// Every queue of the account.
    pub async fn queues(&self) -> Result<Vec<Queue>, ApiError> {
        let mut all = Vec::new();
        for page in 1_u32.. {
            let number = page.to_string();
            let query = [("page", number.as_str())];
            let path = ["queues"];
            let mut call = Call::get("list the account's queues", &path);
            call.query = &query;
            let (found, info) = self.send(call).await?.page::<Vec<Queue>>()?;
            let last = found.is_empty() || info.total_pages.is_none_or(|pages| page >= pages);
            all.extend(found);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// Messages, without handing them out to anyone: they stay as they are.
    pub async fn peek(&self, queue: &Queue, count: u8) -> Result<Vec<Message>, ApiError> {
        let text = json!({ "batch_size": count }).to_string();
        let path = ["queues", &queue.queue_id, "messages", "peek"];
        let what = format!("look into {}", queue.queue_name);
        let mut call = Call::post(what, &path, Body::Json(text));
        call.again = super::Again::Yes;
        let found: Messages = self.send(call).await?.result()?;
        Ok(found.messages)
    }

    /// Messages, which nobody else gets for `lease_ms`.
    pub async fn pull(
        &self,
        queue: &Queue,
        count: u8,
        lease_ms: u32,
    ) -> Result<Vec<Message>, ApiError> {
        let text = json!({ "batch_size": count, "visibility_timeout_ms": lease_ms }).to_string();
        let path = ["queues", &queue.queue_id, "messages", "pull"];
        let what = format!("pull from {}", queue.queue_name);
        let call = Call::post(what, &path, Body::Json(text));
        let found: Messages = self.send(call).await?.result()?;
        Ok(found.messages)
    }

    /// Takes messages off the queue, and gives others back to it.
    pub async fn acknowledge(
        &self,
        queue: &Queue,
        done: &[String],
        back: &[String],
    ) -> Result<(), ApiError> {
        let leases = |ids: &[String]| -> Vec<Value> {
            ids.iter().map(|id| json!({ "lease_id": id })).collect()
        };
        let text = json!({ "acks": leases(done), "retries": leases(back) }).to_string();
        let path = ["queues", &queue.queue_id, "messages", "ack"];
        let what = format!("acknowledge messages of {}", queue.queue_name);
        let mut call = Call::post(what, &path, Body::Json(text));
        call.again = super::Again::Yes;
        self.send(call).await?.done()
    }

    /// Puts a message on the queue. `body` is JSON text and arrives as it is.
    pub async fn push_json(&self, queue: &Queue, body: &str) -> Result<(), ApiError> {
        // Put together by hand: no number in it is read and written again.
        let text = format!(r#"{{"body":{body},"content_type":"json"}}"#);
        self.push(queue, text).await
    }

    /// Puts a message of plain text on the queue.
    pub async fn push_text(&self, queue: &Queue, body: &str) -> Result<(), ApiError> {
        let text = json!({ "body": body, "content_type": "text" }).to_string();
        self.push(queue, text).await
    }

    async fn push(&self, queue: &Queue, text: String) -> Result<(), ApiError> {
        let path = ["queues", &queue.queue_id, "messages"];
        let what = format!("send to {}", queue.queue_name);
        self.send(Call::post(what, &path, Body::Json(text)))
            .await?
            .done()
    }
}
