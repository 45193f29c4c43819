//! Sightings on their way to the audit log: gathered for some seconds, then sent after the answer.

use crate::bindings::Bindings;
use edge_core::firewall::{Action, Hit, Shadow};
use edge_core::sightings::{Sightings, Subject};
use edge_runtime::{log_error, now};
use std::cell::RefCell;
use std::time::Duration;
use worker::{Context, Delay};

/// How long sightings wait for others. The runtime lets an isolate work on for thirty seconds after an answer.
const GATHER: Duration = Duration::from_secs(10);

thread_local! {
    /// Those of one isolate.
    static SIGHTINGS: RefCell<Sightings> = const { RefCell::new(Sightings::new()) };
}

/// Notes the hits of a request.
pub(crate) fn note(
    bindings: &Bindings,
    context: &Context,
    hits: &[Hit],
    shadow: &Shadow,
    subject: Subject<'_>,
) {
    let first = SIGHTINGS.with_borrow_mut(|sightings| {
        let noted = hits.iter().map(|hit| {
            let result = if shadow.covers(hit.rule) {
                "shadow"
            } else {
                match hit.rule.action() {
                    Action::Challenge => "challenged",
                    Action::RateLimit => "limited",
                    Action::GeoBlock => "geo-blocked",
                    Action::Block => "blocked",
                }
            };
            sightings.note(*hit, result, subject, now())
        });
        // Every hit has to be noted, whatever the first one gives.
        noted.fold(false, |any, first| any | first)
    });
    if first {
        let bindings = bindings.clone();
        context.wait_until(async move {
            Delay::from(GATHER).await;
            deliver(&bindings).await;
        });
    }
}

async fn deliver(bindings: &Bindings) {
    let Some(append) = SIGHTINGS.with_borrow_mut(|sightings| sightings.take(now())) else {
        return;
    };
    match bindings.audit(&append).await {
        Ok(true) => {}
        Ok(false) => {
            let line = serde_json::json!({
                "level": "warn",
                "message": "there is no audit log to tell",
                "records": append.records,
            });
            worker::console_log!("{line}");
        }
        Err(error) => log_error("the audit log could not be told", &error),
    }
}
