//! From the journal to the archive and the queues, and what is thrown away with time.

use crate::store::{Due, Kind, Outgoing, Store, StoreError};
use crate::transaction::atomically;
use crate::{Bindings, log_error};
use contracts::ingest::{EdgeReport, HourFigures, REPORT_VERSION};
use domain::{Amount, EpochMs};
use edge_core::audit::{self, Append, Detail, Record};
use edge_core::hours::{Summary, date, end_of, hour_of};
use edge_core::memory::Memory;
use edge_core::meter::Stage;
use edge_core::segment::Packed;
use edge_core::{Settings, resend, segment, shard};
use std::cell::RefCell;
use uuid::Uuid;
use wasm_bindgen::JsValue;
use worker::{Method, QueueContentType, RawMessageBuilder, Request, RequestInit, State};

/// Rows packed at a time; the rest follows at once in the next alarm. Few enough that the longest ones fit in an
/// isolate's memory several times over.
const MOST_ROWS: u32 = 100;
/// Segments sent in one alarm.
const MOST_SEGMENTS: usize = 20;
/// Hours that operators can look at.
const HOURS_KEPT: u64 = 31 * 24;
/// How long it is remembered that a conflict was reported: beyond that its VAU is stale.
const CONFLICTS_KEPT_MS: u64 = 25 * 3_600_000;

/// What an alarm works with.
pub(crate) struct Alarm<'a> {
    pub(crate) state: &'a State,
    pub(crate) store: &'a Store,
    pub(crate) memory: &'a RefCell<Memory>,
    pub(crate) bindings: &'a Bindings,
    pub(crate) settings: &'a Settings,
    pub(crate) now: EpochMs,
}

impl Alarm<'_> {
    /// Packs what waits into segments and keeps a copy of each in the archive. Gives whether there is more.
    pub(crate) async fn flush(&self, stage: Stage) -> Result<bool, StoreError> {
        let flushed = self.memory.borrow().flushed();
        let unpacked = self.store.unpacked(flushed, MOST_ROWS)?;
        let mut hours = self.memory.borrow().hours.clone();
        let closed = hours.close(self.now);
        if unpacked.waiting.is_empty() && closed.is_empty() {
            return Ok(false);
        }
        let packed = segment::pack(shard::NAME, unpacked.waiting, Uuid::new_v4);
        let (mut out, mut records) = (Vec::new(), Vec::new());
        // Others come in meanwhile; what was read stays what it is.
        for packed in packed {
            let archived = self
                .archive(packed.segment_id, packed.first_seq, &packed.body)
                .await;
            records.extend(record(&packed, archived, self.now));
            out.push(outgoing(packed, archived));
        }
        for (hour, summary) in &closed {
            out.extend(reports(*hour, summary, stage));
        }
        let next_at = resend::next(1, self.settings.resend_after_ms, self.now);
        let mut sending = Vec::new();
        for piece in &out {
            sending.push((piece.segment_id, piece.kind, piece.body.clone()));
        }
        let checkpoint = {
            let memory = self.memory.borrow();
            let mut checkpoint = memory.checkpoint(unpacked.last_seq, self.now);
            checkpoint.hours.close(self.now);
            checkpoint.digests.extend(records.iter().cloned());
            checkpoint
        };
        atomically(self.state, || {
            for piece in out {
                self.store.put(piece, self.now, next_at)?;
            }
            for (hour, summary) in &closed {
                self.store.put_hour(*hour, summary)?;
            }
            self.store.put_checkpoint(&checkpoint)
        })?;
        let rest = self.store.first_after(unpacked.last_seq)?;
        {
            let mut memory = self.memory.borrow_mut();
            memory.hours.close(self.now);
            for record in records {
                memory.note(record);
            }
            memory.flushed_to(unpacked.last_seq, unpacked.vaus, rest);
        }
        for (id, kind, body) in sending {
            self.send(&id.to_string(), kind, &body, 0).await?;
        }
        Ok(rest.is_some())
    }

    /// Sends again what nobody has acknowledged.
    pub(crate) async fn resend(&self) -> Result<(), StoreError> {
        for (id, seq, body) in self.store.unarchived(MOST_SEGMENTS)? {
            let Ok(uuid) = Uuid::parse_str(&id) else {
                return Err(StoreError::Row("segments"));
            };
            if !self.archive(uuid, seq, &body).await {
                break;
            }
            self.store.put_archived(&id)?;
        }
        for due in self.store.due(self.now, MOST_SEGMENTS)? {
            let Due {
                segment_id,
                kind,
                body,
                sent,
            } = due;
            self.send(&segment_id, kind, &body, sent).await?;
        }
        Ok(())
    }

    /// Hands something to its queue; `sent` is how often it was before. The first sending was noted when it was kept.
    async fn send(&self, id: &str, kind: Kind, body: &str, sent: u32) -> Result<(), StoreError> {
        let queue = match kind {
            Kind::Vau => self.bindings.queue(),
            Kind::Reward => self.bindings.reward_queue(),
            Kind::Analytics => self.bindings.analytics_queue(),
        };
        let message = RawMessageBuilder::new(JsValue::from_str(body))
            .build_with_content_type(QueueContentType::Text);
        let taken = match queue {
            Ok(queue) => queue.send_raw(message).await,
            Err(error) => Err(error),
        };
        match taken {
            Ok(()) => {
                let mut memory = self.memory.borrow_mut();
                memory.usage.today(self.now).message(body.len());
                if sent > 0 {
                    memory.totals.resent = memory.totals.resent.saturating_add(1);
                    drop(memory);
                    let sent = sent.saturating_add(1);
                    let next = resend::next(sent, self.settings.resend_after_ms, self.now);
                    self.store.put_sent(id, sent, next)?;
                }
            }
            Err(error) => {
                log_error("a segment was not taken by the queue", &error);
                let next = self.now.get().saturating_add(resend::QUEUE_RETRY_MS);
                self.store.put_sent(id, sent.max(1), next)?;
            }
        }
        Ok(())
    }

    /// Keeps a segment a second time, outside the object. Its name says where it belongs and is never used twice.
    async fn archive(&self, id: Uuid, first_seq: u64, body: &str) -> bool {
        let day = date(self.now.utc_day());
        let key = format!(
            "edge/segments/{}/{day}/{first_seq:012}-{id}.json",
            shard::NAME
        );
        let kept = match self.bindings.audit_bucket() {
            Ok(bucket) => bucket.put(key, body.to_owned()).execute().await.map(drop),
            Err(error) => Err(error),
        };
        let mut memory = self.memory.borrow_mut();
        let usage = memory.usage.today(self.now);
        usage.archive_writes = usage.archive_writes.saturating_add(1);
        if let Err(error) = &kept {
            memory.totals.archive_failures = memory.totals.archive_failures.saturating_add(1);
            log_error(
                "the archive did not take a segment; it will be tried again",
                error,
            );
        }
        kept.is_ok()
    }

    /// Tells the audit log which segments were closed. It is told again when it is not known whether it was.
    pub(crate) async fn tell(&self) {
        let Some(records) = self.memory.borrow().to_tell(self.now) else {
            return;
        };
        let count = records.len();
        let told = append(self.bindings, Append { records }).await;
        if let Err(error) = &told {
            log_error("the audit log could not be told of segments", error);
        }
        let mut memory = self.memory.borrow_mut();
        let usage = memory.usage.today(self.now);
        // The call, a row there, the row's deletion.
        usage.object_requests = usage.object_requests.saturating_add(1);
        usage.rows_written = usage.rows_written.saturating_add(2);
        memory.told(told.is_ok().then_some(count), self.now);
    }

    /// Throws away what no longer serves a purpose.
    pub(crate) fn clean(&self, thoroughly: bool) -> Result<(), StoreError> {
        let before = Memory::forgettable(self.now);
        let flushed = {
            let mut memory = self.memory.borrow_mut();
            memory.recent.forget(before);
            memory.flushed()
        };
        self.store.forget_rows(before, flushed)?;
        if thoroughly {
            let conflicts = self.now.get().saturating_sub(CONFLICTS_KEPT_MS);
            let hour = hour_of(self.now).saturating_sub(HOURS_KEPT);
            self.store.forget_reports(conflicts, hour)?;
        }
        Ok(())
    }
}

/// What the audit log keeps of a segment: its name, its size and its hash, and nothing of what is in it.
fn record(packed: &Packed, archived: bool, now: EpochMs) -> Option<Record> {
    let digest = hex::encode(domain::bytes::sha256(packed.body.as_bytes()));
    let details = [
        (Detail::Count, packed.vaus.to_string()),
        (Detail::Digest, digest),
    ];
    Some(Record {
        at: now,
        actor: shard::NAME.try_into().ok()?,
        action: "segment.close".try_into().ok()?,
        object: packed.segment_id.to_string().as_str().try_into().ok()?,
        result: if archived { "archived" } else { "kept" }.try_into().ok()?,
        request_id: None,
        details: details
            .into_iter()
            .map(|(name, text)| Some((name, text.as_str().try_into().ok()?)))
            .collect::<Option<_>>()?,
    })
}

async fn append(bindings: &Bindings, append: Append) -> worker::Result<()> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(JsValue::from_str(&serde_json::to_string(&append)?)));
    let url = format!("{}{}", audit::ORIGIN, audit::APPEND);
    let request = Request::new_with_init(&url, &init)?;
    let stub = bindings.audit_log()?.get_by_name(audit::NAME)?;
    let status = stub.fetch_with_request(request).await?.status_code();
    if status == 200 {
        Ok(())
    } else {
        Err(worker::Error::RustError(format!("it answered {status}")))
    }
}

fn outgoing(packed: Packed, archived: bool) -> Outgoing {
    Outgoing {
        segment_id: packed.segment_id,
        kind: Kind::Vau,
        body: packed.body,
        first_seq: packed.first_seq,
        last_seq: packed.last_seq,
        archived,
    }
}

/// What an hour has promised, which the backend compares with what it has counted, and its figures, which are the
/// first to be left out.
fn reports(hour: u64, summary: &Summary, stage: Stage) -> Vec<Outgoing> {
    let figures = HourFigures {
        unique_users: summary.unique_users,
        unique_devices: summary.unique_devices,
        unique_sites: summary.unique_sites,
        avg_trust_score: summary.avg_trust_score,
    };
    let promise = report(hour, summary, Kind::Reward, None);
    let figures = (stage < Stage::WithoutAnalytics)
        .then(|| report(hour, summary, Kind::Analytics, Some(figures)));
    [Some(promise), figures]
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}

fn report(
    hour: u64,
    summary: &Summary,
    kind: Kind,
    figures: Option<HourFigures>,
) -> Option<Outgoing> {
    let report = EdgeReport {
        version: REPORT_VERSION,
        segment_id: Uuid::new_v4(),
        shard: shard::NAME.to_owned(),
        hour_ends_at: EpochMs::new(end_of(hour)).ok()?,
        count: summary.count,
        promised: Amount::from_units(summary.total_earned).ok()?,
        figures,
    };
    Some(Outgoing {
        segment_id: report.segment_id,
        kind,
        body: serde_json::to_string(&report).ok()?,
        first_seq: 0,
        last_seq: 0,
        archived: true,
    })
}
