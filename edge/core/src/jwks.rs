//! The keys that sign tokens: when to fetch them, and what to do while they cannot be fetched.
//!
//! - Keys are kept for [`MAX_AGE_MS`], then fetched again; when that fails, the last good set stays, for [`KEEP_MS`].
//! - A key nobody knows leads to a fetch at most once per [`RETRY_MS`], so that made-up key ids do not
//!   become load on the auth-service.
//! - Not having been able to look is never the same as having looked and not found.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::Jwks;
use domain::EpochMs;
use std::collections::BTreeMap;

/// After this a set is fetched again.
pub const MAX_AGE_MS: u64 = 300_000;
/// After this a set is forgotten, though no newer one could be fetched: a key that was retired meanwhile must not be
/// believed for ever.
pub const KEEP_MS: u64 = 24 * 3_600_000;
/// The shortest time between two fetches that a token can cause.
pub const RETRY_MS: u64 = 30_000;
/// While there are no keys at all, a failed fetch is tried again after this.
pub const EMPTY_RETRY_MS: u64 = 1_000;
/// A fetch that has not ended after this never will: its request was cancelled.
pub const FETCH_MS: u64 = 6_000;

/// What to do about a key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Verify with this public key.
    Use([u8; 32]),
    /// Fetch the set, report to [`KeyCache::fetched`] or [`KeyCache::failed`], and ask [`KeyCache::settled`].
    Fetch,
    /// Another request is fetching the set; ask again in a moment.
    Wait,
    /// The set is known and the key is not in it: the token is not ours.
    Unknown,
    /// Nobody can say now: answer 503.
    Unavailable,
}

/// The keys an isolate knows.
#[derive(Debug, Clone, Default)]
pub struct KeyCache {
    keys: BTreeMap<String, [u8; 32]>,
    fetched_at: Option<u64>,
    failed_at: Option<u64>,
    started_at: Option<u64>,
}

impl KeyCache {
    /// Nothing known.
    pub const fn new() -> Self {
        Self {
            keys: BTreeMap::new(),
            fetched_at: None,
            failed_at: None,
            started_at: None,
        }
    }

    /// What to do about `key_id` at `now`. `Fetch` notes that a fetch begins.
    pub fn decide(&mut self, key_id: &str, now: EpochMs) -> Decision {
        let old = |at: u64| now.get().saturating_sub(at) > KEEP_MS;
        if self.fetched_at.is_some_and(old) {
            self.keys.clear();
            self.fetched_at = None;
        }
        let known = self.keys.contains_key(key_id);
        if self.is_under_way(now) && !known {
            return Decision::Wait;
        }
        if self.should_fetch(known, now) {
            self.started_at = Some(now.get());
            return Decision::Fetch;
        }
        self.settled(key_id)
    }

    /// What to do about `key_id` now that a fetch has ended.
    pub fn settled(&self, key_id: &str) -> Decision {
        match self.keys.get(key_id) {
            Some(key) => Decision::Use(*key),
            // The latest attempt did not succeed, so the key may have been published since.
            None if self.fetched_at.is_none() || self.started_at > self.fetched_at => {
                Decision::Unavailable
            }
            None => Decision::Unknown,
        }
    }

    fn should_fetch(&self, known: bool, now: EpochMs) -> bool {
        let passed = |since: Option<u64>, wait: u64| since.is_none_or(|s| now.get() >= s + wait);
        match self.fetched_at {
            None => passed(self.failed_at, EMPTY_RETRY_MS),
            Some(at) => {
                let wanted = !known || now.get() >= at + MAX_AGE_MS;
                wanted && passed(self.started_at, RETRY_MS)
            }
        }
    }

    fn is_under_way(&self, now: EpochMs) -> bool {
        self.started_at
            .is_some_and(|at| Some(at) > self.ended_at() && now.get() < at + FETCH_MS)
    }

    fn ended_at(&self) -> Option<u64> {
        self.fetched_at.max(self.failed_at)
    }

    /// A set has arrived. Keys of another kind are left out; a set without any usable key is an error,
    /// since it would turn every token away.
    pub fn fetched(&mut self, set: &Jwks, now: EpochMs) {
        let keys: BTreeMap<_, _> = set
            .keys
            .iter()
            .filter(|k| k.kty == "OKP" && k.crv == "Ed25519" && k.alg == "EdDSA" && k.use_ == "sig")
            .filter_map(|k| {
                let key = URL_SAFE_NO_PAD.decode(&k.x).ok()?.try_into().ok()?;
                Some((k.kid.clone(), key))
            })
            .collect();
        if keys.is_empty() {
            return self.failed(now);
        }
        self.keys = keys;
        self.fetched_at = Some(now.get());
        self.failed_at = None;
    }

    /// The set could not be fetched or read; what is known stays.
    pub fn failed(&mut self, now: EpochMs) {
        self.failed_at = Some(now.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::auth::Jwk;

    fn at(ms: u64) -> EpochMs {
        EpochMs::new(1_000_000 + ms).unwrap()
    }

    fn set(kids: &[&str]) -> Jwks {
        let key = |kid: &&str| Jwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x: URL_SAFE_NO_PAD.encode([5; 32]),
            kid: (*kid).to_owned(),
            use_: "sig".into(),
            alg: "EdDSA".into(),
        };
        Jwks {
            keys: kids.iter().map(key).collect(),
        }
    }

    fn known() -> KeyCache {
        let mut cache = KeyCache::new();
        assert_eq!(cache.decide("a", at(0)), Decision::Fetch);
        cache.fetched(&set(&["a"]), at(1));
        cache
    }

    #[test]
    fn made_up_key_ids_do_not_become_load_on_the_auth_service() {
        let mut cache = known();
        let fetches = (0..60_000).step_by(10).filter(|ms| {
            let fetch = cache.decide(&ms.to_string(), at(2 + *ms)) == Decision::Fetch;
            if fetch {
                cache.fetched(&set(&["a"]), at(3 + *ms));
            }
            fetch
        });
        assert!(fetches.count() <= 2);
        assert_eq!(cache.decide("b", at(60_000)), Decision::Unknown);
    }

    #[test]
    fn not_being_able_to_look_is_not_no_such_key() {
        let mut cache = KeyCache::new();
        assert_eq!(cache.decide("a", at(0)), Decision::Fetch);
        cache.failed(at(10));
        assert_eq!(cache.settled("a"), Decision::Unavailable);
        assert_eq!(cache.decide("a", at(20)), Decision::Unavailable);
        assert_eq!(cache.decide("a", at(1_010)), Decision::Fetch);
        cache.fetched(&set(&["a"]), at(1_020));
        assert_eq!(cache.settled("a"), Decision::Use([5; 32]));

        assert_eq!(cache.decide("new", at(40_000)), Decision::Fetch);
        cache.failed(at(40_001));
        assert_eq!(cache.settled("new"), Decision::Unavailable);
        assert_eq!(cache.settled("a"), Decision::Use([5; 32]));
    }

    #[test]
    fn an_outage_of_the_auth_service_keeps_the_last_good_keys() {
        let mut cache = known();
        assert_eq!(cache.decide("a", at(299_000)), Decision::Use([5; 32]));
        assert_eq!(cache.decide("a", at(300_001)), Decision::Fetch);
        cache.failed(at(300_002));
        assert_eq!(cache.decide("a", at(300_003)), Decision::Use([5; 32]));
        assert_eq!(cache.decide("a", at(330_001)), Decision::Fetch);
    }

    #[test]
    fn an_outage_that_lasts_does_not_keep_a_retired_key_for_ever() {
        let mut cache = known();
        let mut now = 300_001;
        while now < KEEP_MS {
            if cache.decide("a", at(now)) == Decision::Fetch {
                cache.failed(at(now + 1));
            }
            assert_eq!(cache.settled("a"), Decision::Use([5; 32]));
            now += 3_600_000;
        }
        cache.decide("a", at(KEEP_MS + 10));
        cache.failed(at(KEEP_MS + 11));
        assert_eq!(cache.settled("a"), Decision::Unavailable);
    }

    #[test]
    fn a_key_that_was_taken_out_is_no_longer_used() {
        let mut cache = known();
        assert_eq!(cache.decide("a", at(300_001)), Decision::Fetch);
        cache.fetched(&set(&["b"]), at(300_002));
        assert_eq!(cache.settled("a"), Decision::Unknown);
        assert_eq!(cache.settled("b"), Decision::Use([5; 32]));
    }

    #[test]
    fn callers_during_a_fetch_neither_fetch_nor_are_turned_away() {
        let mut cache = KeyCache::new();
        assert_eq!(cache.decide("a", at(0)), Decision::Fetch);
        assert_eq!(cache.decide("a", at(1)), Decision::Wait);
        let mut cache = known();
        assert_eq!(cache.decide("new", at(40_000)), Decision::Fetch);
        assert_eq!(cache.decide("new", at(40_001)), Decision::Wait);
        assert_eq!(cache.decide("a", at(40_001)), Decision::Use([5; 32]));
        cache.fetched(&set(&["a", "new"]), at(40_002));
        assert_eq!(cache.decide("new", at(40_003)), Decision::Use([5; 32]));
    }

    #[test]
    fn a_fetch_whose_request_was_cancelled_does_not_keep_the_others_waiting() {
        let mut cache = KeyCache::new();
        assert_eq!(cache.decide("a", at(0)), Decision::Fetch);
        assert_eq!(cache.decide("a", at(FETCH_MS - 1)), Decision::Wait);
        assert_eq!(cache.decide("a", at(FETCH_MS)), Decision::Fetch);
        let mut cache = known();
        assert_eq!(cache.decide("new", at(40_000)), Decision::Fetch);
        assert_eq!(
            cache.decide("new", at(40_000 + FETCH_MS)),
            Decision::Unavailable
        );
    }

    #[test]
    fn an_empty_or_foreign_set_does_not_lock_everybody_out() {
        let mut cache = known();
        cache.fetched(&Jwks { keys: vec![] }, at(10));
        let mut foreign = set(&["rsa"]);
        foreign.keys[0].kty = "RSA".into();
        cache.fetched(&foreign, at(20));
        assert_eq!(cache.settled("a"), Decision::Use([5; 32]));
    }
}
