//! What the firewall saw, on its way to the audit log.
//!
//! Equal sightings are one with a count, so that a flood is a few records: an isolate keeps at most [`MOST_KINDS`]
//! kinds between two deliveries, and delivers at most [`MOST_DELIVERIES`] times a day. Nothing of a request is in
//! them but its route, its id, and the caller's hashed network.

use crate::firewall::{Hit, Place};
use domain::{EpochMs, mac};
use serde::Serialize;
use std::collections::BTreeMap;

/// Kinds that are kept apart; more are one kind, `overflow`.
pub const MOST_KINDS: usize = 64;
/// Of 100,000 requests to objects that the free plan has a day, what an isolate may use for this.
pub const MOST_DELIVERIES: u32 = 1_000;
const DAY_MS: u64 = 86_400_000;

/// What is the same about sightings that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    actor: String,
    action: &'static str,
    object: &'static str,
    result: &'static str,
    place: &'static str,
    route: &'static str,
}

#[derive(Debug, Clone)]
struct Seen {
    first: EpochMs,
    request_id: String,
    count: u32,
}

/// A record, as the audit log takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// When it was seen first.
    pub at: EpochMs,
    /// The caller's hashed network.
    pub actor: String,
    /// `firewall.block` and others.
    pub action: &'static str,
    /// The rule.
    pub object: &'static str,
    /// What followed.
    pub result: &'static str,
    /// The first request.
    pub request_id: String,
    /// Where, how often, on which route.
    pub details: BTreeMap<&'static str, String>,
}

/// What one call of the log carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Append {
    /// The records.
    pub records: Vec<Record>,
}

/// One request, as far as it is told.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The caller's hashed network: [`actor`].
    pub actor: &'a str,
    /// The route's pattern.
    pub route: Option<&'static str>,
    /// The request's id.
    pub request_id: &'a str,
}

/// A caller's network under a key of this day: the same all day, unrelated to the day before, of no use to whoever
/// has not got the key.
pub fn actor(key: &[u8], network: &str, now: EpochMs) -> String {
    let message = format!("twist-actor-v1 {} {network}", now.get() / DAY_MS);
    let code = hex::encode(mac::mac(key, message.as_bytes()));
    code.chars().take(32).collect()
}

/// Sightings that were not delivered yet.
#[derive(Debug, Default)]
pub struct Sightings {
    seen: BTreeMap<Kind, Seen>,
    day: u64,
    deliveries: u32,
}

impl Sightings {
    /// None yet.
    pub const fn new() -> Self {
        Self {
            seen: BTreeMap::new(),
            day: 0,
            deliveries: 0,
        }
    }

    /// Notes a hit and what followed from it. True: nothing waited before, so somebody has to deliver.
    pub fn note(
        &mut self,
        hit: Hit,
        result: &'static str,
        subject: Subject<'_>,
        now: EpochMs,
    ) -> bool {
        let waited = !self.seen.is_empty();
        let action = match result {
            "blocked" => "firewall.block",
            "challenged" => "firewall.challenge",
            "limited" => "firewall.rate_limit",
            "geo-blocked" => "firewall.geo_block",
            _ => "firewall.watch",
        };
        let mut kind = Kind {
            actor: subject.actor.to_owned(),
            action,
            object: hit.rule.id(),
            result,
            place: hit.place.name(),
            route: subject.route.unwrap_or("none"),
        };
        if self.seen.len() >= MOST_KINDS - 1 && !self.seen.contains_key(&kind) {
            kind = Kind {
                actor: "overflow".to_owned(),
                action: "firewall.overflow",
                object: "any",
                result: "counted",
                place: Place::Body.name(),
                route: "any",
            };
        }
        let seen = self.seen.entry(kind).or_insert_with(|| Seen {
            first: now,
            request_id: subject.request_id.to_owned(),
            count: 0,
        });
        seen.count = seen.count.saturating_add(1);
        !waited
    }

    /// Takes what waits; nothing when the day's deliveries are used up.
    pub fn take(&mut self, now: EpochMs) -> Option<Append> {
        let day = now.get() / DAY_MS;
        if day != self.day {
            (self.day, self.deliveries) = (day, 0);
        }
        let seen = std::mem::take(&mut self.seen);
        if seen.is_empty() || self.deliveries >= MOST_DELIVERIES {
            return None;
        }
        self.deliveries += 1;
        Some(Append {
            records: seen.into_iter().map(record).collect(),
        })
    }
}

fn record((kind, seen): (Kind, Seen)) -> Record {
    let details = [
        ("where", kind.place.to_owned()),
        ("count", seen.count.to_string()),
        ("route", kind.route.to_owned()),
    ];
    Record {
        at: seen.first,
        actor: kind.actor,
        action: kind.action,
        object: kind.object,
        result: kind.result,
        request_id: seen.request_id,
        details: details.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::Rule;

    const HIT: Hit = Hit {
        rule: Rule::SqlInjection,
        place: Place::Query,
    };

    fn at(ms: u64) -> EpochMs {
        EpochMs::new(ms).unwrap()
    }

    fn by(actor: &str) -> Subject<'_> {
        Subject {
            actor,
            route: Some("/health"),
            request_id: "request-1",
        }
    }

    #[test]
    fn a_flood_is_a_few_records() {
        let mut sightings = Sightings::new();
        assert!(sightings.note(HIT, "blocked", by("a"), at(1)));
        for n in 0..10_000 {
            assert!(!sightings.note(HIT, "blocked", by(&format!("{}", n % 500)), at(2)));
            sightings.note(HIT, "blocked", by("a"), at(3));
        }
        let append = sightings.take(at(4)).unwrap();
        assert_eq!(append.records.len(), MOST_KINDS);
        let of = |actor: &str| append.records.iter().find(|r| r.actor == actor).unwrap();
        assert_eq!(of("a").details["count"], "10001");
        assert_eq!((of("a").at, of("a").object), (at(1), "sql-injection"));
        let total = append
            .records
            .iter()
            .map(|r| r.details["count"].parse::<u32>().unwrap());
        assert_eq!(total.sum::<u32>(), 20_001, "none is forgotten");
        assert_eq!(sightings.take(at(5)), None);
        let text = serde_json::to_string(&append).unwrap();
        let read: crate::audit::Append = serde_json::from_str(&text).unwrap();
        assert_eq!(read.records.len(), append.records.len());
        assert!(read.records.len() <= crate::audit::MOST_RECORDS);
    }

    #[test]
    fn an_isolate_does_not_use_up_the_day_of_the_account() {
        let mut sightings = Sightings::new();
        let deliver = |sightings: &mut Sightings, now| {
            sightings.note(HIT, "shadow", by("a"), at(now));
            sightings.take(at(now)).is_some()
        };
        let delivered = (0..5_000).filter(|_| deliver(&mut sightings, 1)).count();
        assert_eq!(delivered, usize::try_from(MOST_DELIVERIES).unwrap());
        assert!(deliver(&mut sightings, DAY_MS));
    }

    #[test]
    fn an_address_cannot_be_followed_from_day_to_day() {
        let today = actor(b"key", "192.0.2.1", at(1));
        assert_eq!(today, actor(b"key", "192.0.2.1", at(2)));
        assert_ne!(today, actor(b"key", "192.0.2.1", at(DAY_MS)));
        assert_ne!(today, actor(b"other", "192.0.2.1", at(1)));
        assert!(today.len() == 32 && !today.contains("192"));
    }
}
