//! Frames of the realtime websocket: one JSON object in each text message.
//!
//! A client that reads a `type` it does not know skips the frame: later builds may add some.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The version of the frames.
pub const VERSION: u8 = 1;
/// The longest frame that a client may send.
pub const MAX_CLIENT_FRAME_BYTES: usize = 4_096;
/// Frames that a client may send in a second.
pub const MAX_CLIENT_FRAMES_PER_SECOND: u32 = 10;
/// Events that [`ClientFrame::Resume`] replays at most; for more there is [`ServerFrame::ResyncRequired`].
pub const MAX_REPLAYED_EVENTS: u32 = 1_000;
/// The server closes with this when the session has ended or the token has expired.
pub const CLOSE_UNAUTHORIZED: u16 = 4_401;
/// The server closes with this when a client reads too slowly; it may connect again and resume.
pub const CLOSE_TOO_SLOW: u16 = 4_408;

const LONGEST_NAME: usize = 64;

/// What events are about: `user:<id>`, `influencer:<id>`, `link:<id>`, `pool:<id>` or `ops`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Topic(String);

/// A text that names no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be user:<id>, influencer:<id>, link:<id>, pool:<id> or ops")]
pub struct NoTopic;

impl Topic {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Topic {
    type Error = NoTopic;

    fn try_from(text: String) -> Result<Self, NoTopic> {
        let is_name = |name: &str| {
            (1..=LONGEST_NAME).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        };
        let known = match text.split_once(':') {
            Some(("user" | "influencer" | "link" | "pool", name)) => is_name(name),
            Some(_) => false,
            None => text == "ops",
        };
        if known { Ok(Self(text)) } else { Err(NoTopic) }
    }
}

impl From<Topic> for String {
    fn from(topic: Topic) -> Self {
        topic.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Topic {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Topic".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^((user|influencer|link|pool):[A-Za-z0-9_-]{1,64}|ops)$",
            "examples": ["user:0190b2a4-7d1e-7c3a-9f10-2f6a5b1c8d3e", "ops"],
        })
    }
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ClientFrame {
    /// From now on, the events of a topic.
    Subscribe {
        /// Which.
        topic: Topic,
    },
    /// The events of a topic, from the one after `after` on.
    Resume {
        /// Which.
        topic: Topic,
        /// The `seq` of the last event that was read.
        after: u64,
    },
    /// Asks for [`ServerFrame::Pong`]: for clients that cannot send pings of the protocol.
    Ping {},
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ServerFrame {
    /// Something happened. Sent at least once: skip it when `seq` is not above the last of the topic.
    Event {
        /// [`VERSION`].
        v: u8,
        /// Whose.
        topic: Topic,
        /// Grows within a topic; with gaps.
        seq: u64,
        /// Names the event; the same wherever it is seen.
        event_id: Uuid,
        /// What kind: `twist.<area>.<fact>.v<N>`.
        name: String,
        /// What happened, by `name`.
        data: serde_json::Value,
    },
    /// [`ClientFrame::Subscribe`] or [`ClientFrame::Resume`] was taken; the topic's events follow.
    Subscribed {
        /// Which.
        topic: Topic,
        /// The newest event there is; 0 when there is none.
        seq: u64,
    },
    /// The events to replay are too many or too old: read the state over HTTP, then go on from `seq`.
    ResyncRequired {
        /// Which.
        topic: Topic,
        /// The newest event there is.
        seq: u64,
    },
    /// A frame was refused; the connection stays.
    Error {
        /// Stable; match on this.
        code: crate::Code,
        /// What is wrong and what to do.
        detail: String,
        /// Which topic the frame was about, if it could be read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        topic: Option<Topic>,
    },
    /// The answer to [`ClientFrame::Ping`].
    Pong {},
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_frame_with_a_member_too_many_or_an_invented_topic_is_refused() {
        let read = |value| serde_json::from_value::<ClientFrame>(value);
        assert!(read(json!({"type": "subscribe", "topic": "user:abc"})).is_ok());
        assert!(read(json!({"type": "resume", "topic": "ops", "after": 7})).is_ok());
        assert!(read(json!({"type": "ping"})).is_ok());
        for bad in [
            json!({"type": "subscribe", "topic": "user:abc", "userId": "x"}),
            json!({"type": "subscribe", "topic": "user:"}),
            json!({"type": "subscribe", "topic": "everyone:abc"}),
            json!({"type": "subscribe", "topic": format!("user:{}", "a".repeat(65))}),
            json!({"type": "resume", "topic": "ops", "after": -1}),
            json!({"type": "resume", "topic": "ops"}),
            json!({"type": "shout", "topic": "ops"}),
            json!({"topic": "ops"}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn members_are_camel_case_and_the_type_says_which_frame_it_is() {
        let frame = ServerFrame::Event {
            v: VERSION,
            topic: Topic::try_from("ops".to_owned()).unwrap(),
            seq: 3,
            event_id: Uuid::from_u128(1),
            name: "twist.vau.counted.v1".into(),
            data: json!({}),
        };
        let value = serde_json::to_value(&frame).unwrap();
        assert_eq!(value["type"], "event");
        assert_eq!(value["eventId"], Uuid::from_u128(1).to_string());
        assert_eq!(serde_json::from_value::<ServerFrame>(value).unwrap(), frame);
    }
}
