//! The queues' consumer: segments and reports to the backend, receipts to the object.

use crate::{backend, shard};
use durable_objects::{Bindings, log_error, now};
use edge_core::{Settings, resend};
use serde::Deserialize;
use uuid::Uuid;
use worker::{MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage};

/// Delivers what it can. A message that fails goes back to the queue and holds up no other.
pub(crate) async fn deliver(batch: &MessageBatch<String>, bindings: &Bindings) {
    let settings = bindings.settings();
    for message in batch.raw_iter() {
        let delivered = match &settings {
            Ok(settings) => one(&message, bindings, settings).await,
            Err(error) => Err(error.to_string()),
        };
        match delivered {
            Ok(()) => message.ack(),
            Err(cause) => {
                log_error("a segment was not delivered; it will be sent again", &cause);
                let age = now().get().saturating_sub(message.timestamp().as_millis());
                let delay = resend::queue_delay_seconds(age);
                let options = QueueRetryOptionsBuilder::new()
                    .with_delay_seconds(delay)
                    .build();
                message.retry_with_options(&options);
            }
        }
    }
}

/// What segments and reports have in common, and what tells them apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    segment_id: Uuid,
    shard: String,
    #[serde(default)]
    hour_ends_at: Option<u64>,
}

async fn one(message: &RawMessage, bindings: &Bindings, settings: &Settings) -> Result<(), String> {
    let body = message
        .body()
        .as_string()
        .ok_or("the message is not text")?;
    let message: Message =
        serde_json::from_str(&body).map_err(|_| "the message is neither segment nor report")?;
    let delivered = if message.hour_ends_at.is_some() {
        backend::report(settings, message.segment_id, &body)
            .await
            .map(|()| None)
    } else {
        backend::deliver(settings, message.segment_id, &body)
            .await
            .map(Some)
    };
    let receipt = delivered.map_err(|error| error.to_string())?;
    let waiting = shard::acknowledge(bindings, &message.shard, message.segment_id)
        .await
        .map_err(|error| error.to_string())?;
    if let Some(receipt) = receipt {
        let line = serde_json::json!({
            "level": "info",
            "message": "segment delivered",
            "segmentId": receipt.segment_id,
            "counted": receipt.counted,
            "duplicates": receipt.duplicates,
            "quarantined": receipt.quarantined.len(),
            "segmentsWaiting": waiting.segments,
        });
        worker::console_log!("{line}");
    }
    Ok(())
}
