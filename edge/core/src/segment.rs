//! Packing accepted VAUs into segments small enough for a queue message.

use contracts::ingest::{SEGMENT_VERSION, VauSegment};
use uuid::Uuid;

/// The longest segment, in bytes of JSON. A queue message is billed by 64 KB.
pub const MAX_SEGMENT_BYTES: usize = 60_000;

/// An accepted VAU that is in no segment yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the order of acceptance.
    pub seq: i64,
    /// The `AcceptedVau` as JSON.
    pub json: String,
}

/// A segment ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Names it.
    pub segment_id: Uuid,
    /// The `VauSegment` as JSON: the message's text and the request's body, byte for byte.
    pub body: String,
    /// The place of its last item.
    pub last_seq: i64,
}

/// Packs everything in order, each segment as full as it can be. An item that is longer than a segment
/// travels alone rather than not at all.
pub fn pack(shard: &str, waiting: &[Waiting], mut new_id: impl FnMut() -> Uuid) -> Vec<Packed> {
    let mut packed = Vec::new();
    let mut open: Option<Open> = None;
    for item in waiting {
        if open.as_ref().is_some_and(|o| !o.has_room(item)) {
            packed.extend(open.take().map(Open::close));
        }
        open.get_or_insert_with(|| Open::new(shard, new_id()))
            .add(item);
    }
    packed.extend(open.map(Open::close));
    packed
}

struct Open {
    segment_id: Uuid,
    body: String,
    items: usize,
    last_seq: i64,
}

/// What follows the items.
const TAIL: &str = "]}";

impl Open {
    fn new(shard: &str, segment_id: Uuid) -> Self {
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
            items: 0,
            last_seq: 0,
        }
    }

    fn has_room(&self, item: &Waiting) -> bool {
        self.body.len() + 1 + item.json.len() + TAIL.len() <= MAX_SEGMENT_BYTES
    }

    fn add(&mut self, item: &Waiting) {
        if self.items > 0 {
            self.body.push(',');
        }
        self.body.push_str(&item.json);
        self.items += 1;
        self.last_seq = item.seq;
    }

    fn close(mut self) -> Packed {
        self.body.push_str(TAIL);
        Packed {
            segment_id: self.segment_id,
            body: self.body,
            last_seq: self.last_seq,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn waiting(lengths: &[usize]) -> Vec<Waiting> {
        let item = |(i, length): (usize, &usize)| Waiting {
            seq: i64::try_from(i).unwrap() + 1,
            json: json!({"n": i, "pad": "x".repeat(*length)}).to_string(),
        };
        lengths.iter().enumerate().map(item).collect()
    }

    proptest! {
        #[test]
        fn packing_loses_reorders_and_repeats_nothing(
            lengths in prop::collection::vec(prop_oneof![0usize..2_000, 20_000usize..59_000], 0..80),
        ) {
            let mut next = 0u128;
            let packed = pack("vau-0", &waiting(&lengths), || { next += 1; Uuid::from_u128(next) });
            let mut seen = Vec::new();
            for segment in &packed {
                prop_assert!(segment.body.len() <= MAX_SEGMENT_BYTES);
                let read: VauSegment = serde_json::from_str(&segment.body).unwrap();
                prop_assert_eq!(read.segment_id, segment.segment_id);
                prop_assert!(!read.items.is_empty());
                seen.extend(read.items.iter().map(|i| i["n"].as_u64().unwrap()));
                prop_assert_eq!(segment.last_seq, i64::try_from(seen.len()).unwrap());
            }
            prop_assert_eq!(seen, (0..lengths.len() as u64).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_item_that_is_too_long_does_not_hold_up_the_others() {
        let packed = pack("vau-0", &waiting(&[10, 70_000, 10]), Uuid::nil);
        assert_eq!(
            packed.iter().map(|p| p.last_seq).collect::<Vec<_>>(),
            [1, 2, 3]
        );
    }
}
