//! The life of a signing key: announced, active, retiring, retired. Time moves a key on; this says when.

use time::{Duration, OffsetDateTime};

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// Published, so that verifiers know it before it signs.
    Announced,
    /// Signs. There is one.
    Active,
    /// Published until the last token it signed is over.
    Retiring,
    /// No longer believed.
    Retired,
}

impl KeyState {
    /// The word in the table.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }

    /// The state that the word stands for.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        [Self::Announced, Self::Active, Self::Retiring, Self::Retired]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// How long each part of a key's life is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyPolicy {
    /// From being published to signing.
    pub(crate) announce: Duration,
    /// After so long every verifier that asks regularly has seen an announced key.
    pub(crate) seen: Duration,
    /// From the next key's first signature to no longer being believed: the life of a token, the difference of clocks,
    /// and how long an instance may sign on without having seen its successor.
    pub(crate) retire: Duration,
    /// How long a key signs before its successor takes over by itself; `None`: for ever.
    pub(crate) rotate: Option<Duration>,
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    pub(crate) kid: String,
    pub(crate) state: KeyState,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) activate_at: Option<OffsetDateTime>,
    pub(crate) activated_at: Option<OffsetDateTime>,
    pub(crate) retire_at: Option<OffsetDateTime>,
    pub(crate) retired_at: Option<OffsetDateTime>,
}

/// One change that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// There is no key to sign with: one is made, which signs at once.
    MakeActive,
    /// A successor is made and published.
    Announce,
    /// An announced key takes over from the active one, if there is one.
    Activate {
        kid: String,
        replaces: Option<String>,
    },
    /// A retiring key is told when it ends.
    SetEnd { kid: String },
    /// A key ends.
    Retire { kid: String },
}

impl KeyPolicy {
    /// When an announced key is to take over.
    pub(crate) fn takes_over(&self, key: &KeyRecord) -> OffsetDateTime {
        key.activate_at.unwrap_or(key.created_at + self.announce)
    }

    /// What has to happen at `now`, in this order. At most one key takes over at a time.
    pub(crate) fn due(&self, keys: &[KeyRecord], now: OffsetDateTime) -> Vec<Step> {
        let of = |state| keys.iter().filter(move |key| key.state == state);
        let active = of(KeyState::Active).next();
        let next = of(KeyState::Announced)
            .filter(|key| self.takes_over(key) <= now)
            .min_by_key(|key| (self.takes_over(key), &key.kid));
        let mut steps = Vec::new();
        match (next, active) {
            (Some(next), active) => steps.push(Step::Activate {
                kid: next.kid.clone(),
                replaces: active.map(|key| key.kid.clone()),
            }),
            (None, None) => steps.push(Step::MakeActive),
            (None, Some(active)) => {
                let since = active.activated_at.unwrap_or(active.created_at);
                let late = self
                    .rotate
                    .is_some_and(|rotate| since + rotate - self.announce <= now);
                if late && of(KeyState::Announced).next().is_none() {
                    steps.push(Step::Announce);
                }
            }
        }
        steps.extend(of(KeyState::Retiring).filter_map(|key| {
            let kid = key.kid.clone();
            match key.retire_at {
                None => Some(Step::SetEnd { kid }),
                Some(end) if end <= now => Some(Step::Retire { kid }),
                Some(_) => None,
            }
        }));
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: KeyPolicy = KeyPolicy {
        announce: Duration::seconds(600),
        seen: Duration::seconds(330),
        retire: Duration::seconds(1_000),
        rotate: Some(Duration::days(90)),
    };
    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn key(kid: &str, state: KeyState) -> KeyRecord {
        KeyRecord {
            kid: kid.to_owned(),
            state,
            created_at: NOW,
            activate_at: None,
            activated_at: None,
            retire_at: None,
            retired_at: None,
        }
    }

    fn activate(kid: &str, replaces: Option<&str>) -> Step {
        Step::Activate {
            kid: kid.to_owned(),
            replaces: replaces.map(str::to_owned),
        }
    }

    #[test]
    fn without_a_key_one_is_made_and_with_one_nothing_happens() {
        assert_eq!(POLICY.due(&[], NOW), [Step::MakeActive]);
        assert_eq!(POLICY.due(&[key("a", KeyState::Active)], NOW), []);
        let retired = key("r", KeyState::Retired);
        assert_eq!(POLICY.due(&[retired], NOW), [Step::MakeActive]);
    }

    #[test]
    fn an_announced_key_takes_over_when_its_time_has_come_and_not_before() {
        let keys = [key("a", KeyState::Active), key("b", KeyState::Announced)];
        let before = NOW + POLICY.announce - Duration::SECOND;
        assert_eq!(POLICY.due(&keys, before), []);
        let then = NOW + POLICY.announce;
        assert_eq!(POLICY.due(&keys, then), [activate("b", Some("a"))]);
        assert_eq!(POLICY.due(&keys[1..], then), [activate("b", None)]);
        // Nothing waits for a key that is not due when there is none at all.
        assert_eq!(POLICY.due(&keys[1..], NOW), [Step::MakeActive]);
    }

    #[test]
    fn of_two_announced_keys_the_older_takes_over_first() {
        let mut older = key("z", KeyState::Announced);
        older.activate_at = Some(NOW - Duration::HOUR);
        let mut newer = key("b", KeyState::Announced);
        newer.activate_at = Some(NOW - Duration::MINUTE);
        let keys = [newer, key("a", KeyState::Active), older];
        assert_eq!(POLICY.due(&keys, NOW), [activate("z", Some("a"))]);
    }

    #[test]
    fn a_retiring_key_is_believed_until_its_end() {
        let mut old = key("o", KeyState::Retiring);
        let active = key("a", KeyState::Active);
        let due = |old: &KeyRecord, at| POLICY.due(&[active.clone(), old.clone()], at);
        let kid = "o".to_owned();
        assert_eq!(due(&old, NOW), [Step::SetEnd { kid: kid.clone() }]);
        old.retire_at = Some(NOW + POLICY.retire);
        assert_eq!(due(&old, NOW + POLICY.retire - Duration::SECOND), []);
        assert_eq!(due(&old, NOW + POLICY.retire), [Step::Retire { kid }]);
    }

    #[test]
    fn a_successor_is_announced_in_time_once() {
        let mut active = key("a", KeyState::Active);
        active.activated_at = Some(NOW);
        let late = NOW + Duration::days(90) - POLICY.announce;
        let due = |keys: &[KeyRecord], at| POLICY.due(keys, at);
        assert_eq!(due(&[active.clone()], late - Duration::SECOND), []);
        assert_eq!(due(&[active.clone()], late), [Step::Announce]);
        let mut announced = key("b", KeyState::Announced);
        announced.activate_at = Some(late + POLICY.announce);
        assert_eq!(due(&[active.clone(), announced], late), []);
        let never = KeyPolicy {
            rotate: None,
            ..POLICY
        };
        assert_eq!(never.due(&[active], late + Duration::days(1_000)), []);
    }
}
