//! Names of facts.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// What kind of fact an event is: `twist.<area>.<fact>.v<version>`.
///
/// Within a version only members are added; anything else is the next version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic {
    area: &'static str,
    fact: &'static str,
    version: u16,
}

impl Topic {
    /// Names a topic; in a constant, so that a bad name does not compile.
    ///
    /// # Panics
    /// When a part is not made of lower-case letters and underscores, or the version is 0.
    pub const fn new(area: &'static str, fact: &'static str, version: u16) -> Self {
        assert!(
            is_name(area),
            "an area is lower-case letters and underscores"
        );
        assert!(
            is_name(fact),
            "a fact is lower-case letters and underscores"
        );
        assert!(version > 0, "versions count from 1");
        Self {
            area,
            fact,
            version,
        }
    }

    /// The part of the business that it belongs to. Events of one area travel in one stream, in the order of their
    /// aggregates.
    pub const fn area(self) -> &'static str {
        self.area
    }

    /// Its version, from 1.
    pub const fn version(self) -> u16 {
        self.version
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            area,
            fact,
            version,
        } = self;
        write!(f, "twist.{area}.{fact}.v{version}")
    }
}

/// What an event says: a type of the wire with its topic.
pub trait Fact: Serialize + DeserializeOwned {
    /// Its topic.
    const TOPIC: Topic;
}

/// The area in a topic's name; empty when it is none.
pub(crate) fn area_of(topic: &str) -> &str {
    topic.split('.').nth(1).unwrap_or_default()
}

const fn is_name(text: &str) -> bool {
    let mut rest = text.as_bytes();
    if !matches!(rest.first(), Some(b'a'..=b'z')) {
        return false;
    }
    while let [first, others @ ..] = rest {
        if !matches!(first, b'a'..=b'z' | b'_') {
            return false;
        }
        rest = others;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_reads_as_documented() {
        let topic = Topic::new("payout", "state_changed", 2);
        assert_eq!(topic.to_string(), "twist.payout.state_changed.v2");
        assert_eq!(area_of(&topic.to_string()), "payout");
    }

    #[test]
    fn names_that_the_database_would_refuse_are_no_topics() {
        for name in [
            "", "Payout", "pay-out", "pay.out", "_payout", "payout1", "päyout",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
