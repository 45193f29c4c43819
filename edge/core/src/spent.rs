//! Proofs that one isolate has seen, for as long as the object that remembers them for all cannot be asked.

use domain::EpochMs;
use std::collections::BTreeMap;

/// Beyond that, none is let through any more until some have ended.
const MOST: usize = 5_000;

/// Names of challenges, and when each ends.
#[derive(Debug, Default)]
pub struct SpentHere(BTreeMap<String, u64>);

impl SpentHere {
    /// None yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Uses a proof up; false when it was used before, or cannot be remembered.
    pub fn spend(&mut self, id: &str, until: u64, now: EpochMs) -> bool {
        if self.0.len() >= MOST {
            self.0.retain(|_, until| *until > now.get());
        }
        if self.0.len() >= MOST || self.0.contains_key(id) {
            return false;
        }
        self.0.insert(id.to_owned(), until);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_used_once_and_a_flood_of_them_does_not_grow_the_memory() {
        let at = |ms| EpochMs::new(ms).unwrap();
        let mut spent = SpentHere::new();
        assert!(spent.spend("a", 100, at(1)));
        assert!(!spent.spend("a", 100, at(2)));
        for n in 0..MOST * 2 {
            spent.spend(&n.to_string(), 100, at(3));
        }
        assert_eq!(spent.0.len(), MOST);
        assert!(!spent.spend("late", 200, at(99)));
        assert!(spent.spend("late", 200, at(100)));
    }
}
