//! Packing accepted VAUs into segments small enough for a queue message.

use contracts::ingest::{AcceptedGroup, OtherItem, SEGMENT_VERSION, VauSegment};
use uuid::Uuid;

/// The longest segment, in bytes of JSON. A queue message is billed by 64 KB.
pub const MAX_SEGMENT_BYTES: usize = 60_000;
/// The most VAUs in a segment; the backend refuses more than 1,000.
pub const MAX_SEGMENT_VAUS: usize = 900;

/// A group that is in no segment yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The journal's row it is in.
    pub seq: u64,
    /// The VAUs.
    pub group: AcceptedGroup,
}

/// A segment ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Names it.
    pub segment_id: Uuid,
    /// The `VauSegment` as JSON: the message's text and the request's body, byte for byte.
    pub body: String,
    /// The row of its first group.
    pub first_seq: u64,
    /// The row of its last group.
    pub last_seq: u64,
    /// VAUs in it.
    pub vaus: usize,
}

/// Packs everything in order, each segment as full as it can be. A group that is longer than a segment is split;
/// a VAU that is, travels alone rather than not at all.
pub fn pack(shard: &str, waiting: Vec<Waiting>, mut new_id: impl FnMut() -> Uuid) -> Vec<Packed> {
    let mut packed = Vec::new();
    let mut open: Option<Open> = None;
    for Waiting { seq, group } in waiting {
        // The last one is the next.
        let mut parts = vec![group];
        while let Some(group) = parts.pop() {
            let json = serde_json::to_string(&group).unwrap_or_default();
            let vaus = group.items.len();
            if fits(0, 0, &json, vaus) || vaus < 2 {
                if open.as_ref().is_some_and(|o| !o.has_room(&json, vaus)) {
                    packed.extend(open.take().map(Open::close));
                }
                open.get_or_insert_with(|| Open::new(shard, new_id(), seq))
                    .add(seq, &json, vaus);
            } else {
                let (first, second) = halves(group);
                parts.push(second);
                parts.push(first);
            }
        }
    }
    packed.extend(open.map(Open::close));
    packed
}

/// Two groups with the same VAUs. Where the batch is signed as a whole, each carries the other's fingerprints.
fn halves(group: AcceptedGroup) -> (AcceptedGroup, AcceptedGroup) {
    let half = group.items.len() / 2;
    let prints: Vec<OtherItem> = group
        .vaus()
        .zip(&group.items)
        .map(|(vau, item)| OtherItem {
            index: item.index,
            fingerprint: vau.fingerprint,
        })
        .collect();
    let (prints_of_first, prints_of_second) = prints.split_at(half.min(prints.len()));
    let (mut first, mut second) = (group.clone(), group);
    second.items = first.items.split_off(half);
    second.device = first.device.later(u32::try_from(half).unwrap_or(u32::MAX));
    for (part, elsewhere) in [
        (&mut first, prints_of_second),
        (&mut second, prints_of_first),
    ] {
        if let Some(batch) = &mut part.batch {
            batch.others.extend_from_slice(elsewhere);
        }
    }
    (first, second)
}

struct Open {
    segment_id: Uuid,
    body: String,
    groups: usize,
    vaus: usize,
    first_seq: u64,
    last_seq: u64,
}

/// What follows the items.
const TAIL: &str = "]}";
/// Room for what stands before the items.
const HEAD: usize = 200;

fn fits(used: usize, vaus_before: usize, json: &str, vaus: usize) -> bool {
    let bytes = used.max(HEAD) + 1 + json.len() + TAIL.len();
    bytes <= MAX_SEGMENT_BYTES && vaus_before + vaus <= MAX_SEGMENT_VAUS
}

impl Open {
    fn new(shard: &str, segment_id: Uuid, first_seq: u64) -> Self {
        let empty = VauSegment {
            version: SEGMENT_VERSION,
            segment_id,
            shard: shard.to_owned(),
            items: Vec::new(),
        };
        // `items` is the last field, so the text ends in its empty list; a test reads segments back.
        let mut body = serde_json::to_string(&empty).unwrap_or_default();
        body.truncate(body.len().saturating_sub(TAIL.len()));
        Self {
            segment_id,
            body,
            groups: 0,
            vaus: 0,
            first_seq,
            last_seq: first_seq,
        }
    }

    fn has_room(&self, json: &str, vaus: usize) -> bool {
        fits(self.body.len(), self.vaus, json, vaus)
    }

    fn add(&mut self, seq: u64, json: &str, vaus: usize) {
        if self.groups > 0 {
            self.body.push(',');
        }
        self.body.push_str(json);
        self.groups += 1;
        self.vaus += vaus;
        self.last_seq = seq;
    }

    fn close(mut self) -> Packed {
        self.body.push_str(TAIL);
        Packed {
            segment_id: self.segment_id,
            body: self.body,
            first_seq: self.first_seq,
            last_seq: self.last_seq,
            vaus: self.vaus,
        }
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
