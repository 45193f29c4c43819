//! From the outbox to the queue, and what is thrown away with time.

use crate::log_error;
use crate::store::{Due, Store, StoreError};
use crate::transaction::atomically;
use domain::EpochMs;
use edge_core::admission::REMEMBER_MS;
use edge_core::limit::WINDOW_MS;
use edge_core::{Settings, resend, segment, shard};
use uuid::Uuid;
use wasm_bindgen::JsValue;
use worker::{Queue, QueueContentType, RawMessageBuilder, State};

/// Items packed in one transaction; the rest follows at once in the next alarm. Few enough that the longest ones fit in an isolate's memory several times over.
const MOST_ITEMS: u32 = 200;
/// Segments sent in one alarm.
const MOST_SEGMENTS: u32 = 20;

/// Packs everything that waits into segments.
pub(crate) fn flush(state: &State, store: &Store, now: EpochMs) -> Result<(), StoreError> {
    atomically(state, || {
        let waiting = store.waiting(MOST_ITEMS)?;
        for packed in segment::pack(shard::NAME, &waiting, Uuid::new_v4) {
            store.put_segment(packed, now)?;
        }
        Ok(())
    })
}

/// Hands every segment that is due to the queue, and notes when it is due again.
pub(crate) async fn send_due(
    store: &Store,
    queue: &Queue,
    settings: &Settings,
    now: EpochMs,
) -> Result<(), StoreError> {
    for due in store.due(now, MOST_SEGMENTS)? {
        let Due {
            segment_id,
            body,
            sent,
        } = due;
        let message = RawMessageBuilder::new(JsValue::from_str(&body))
            .build_with_content_type(QueueContentType::Text);
        let (sent, next_at) = match queue.send_raw(message).await {
            Ok(()) => {
                let sent = sent.saturating_add(1);
                (sent, resend::next(sent, settings.resend_after_ms, now))
            }
            Err(error) => {
                log_error("a segment was not taken by the queue", &error);
                (sent, now.get().saturating_add(resend::QUEUE_RETRY_MS))
            }
        };
        store.put_sent(&segment_id, sent, next_at)?;
    }
    Ok(())
}

/// Throws away what no longer serves a purpose.
pub(crate) fn clean(store: &Store, now: EpochMs, thoroughly: bool) -> Result<(), StoreError> {
    store.forget_rates(now.get().saturating_sub(now.get() % WINDOW_MS))?;
    if thoroughly {
        let yesterday = now.utc_day().saturating_sub(1);
        store.forget_accepted(now.get().saturating_sub(REMEMBER_MS), yesterday)?;
    }
    Ok(())
}
