//! Cohorts: 25,000 groups of users that nobody has chosen.

use domain::WalletAddress;
use domain::bytes::sha256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

const AGES: [&str; 5] = ["18-24", "25-34", "35-44", "45-54", "55+"];
const INTERESTS: [&str; 5] = ["gaming", "fashion", "tech", "finance", "sports"];
const INDEXES: u16 = 1_000;

/// A cohort's name: `age:interest:index`. The words are labels of the group, drawn from a hash: they say nothing about
/// a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cohort(String);

/// A text that names no cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cohort: age:interest:index is expected, such as 25-34:tech:123")]
pub struct NoCohort;

impl Cohort {
    /// The cohort of a user: from SHA-256 of the wallet's text, byte 2 gives the age, byte 3 the interest, bytes 0 and
    /// 1 the index.
    pub fn of(user: &WalletAddress) -> Self {
        let digest = sha256(user.to_string().as_bytes());
        let byte = |place: usize| digest.get(place).copied().unwrap_or_default();
        let word = |words: &[&'static str; 5], byte: u8| {
            words
                .get(usize::from(byte % 5))
                .copied()
                .unwrap_or_default()
        };
        let index = u16::from_be_bytes([byte(0), byte(1)]) % INDEXES;
        let (age, interest) = (word(&AGES, byte(2)), word(&INTERESTS, byte(3)));
        Self(format!("{age}:{interest}:{index}"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Cohort {
    type Error = NoCohort;

    fn try_from(text: &str) -> Result<Self, NoCohort> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(NoCohort);
        let (age, interest, index) = (part()?, part()?, part()?);
        let number: u16 = index.parse().map_err(|_| NoCohort)?;
        let known = AGES.contains(&age) && INTERESTS.contains(&interest) && number < INDEXES;
        // One spelling for each number.
        if known && number.to_string() == index {
            Ok(Self(text.to_owned()))
        } else {
            Err(NoCohort)
        }
    }
}

impl fmt::Display for Cohort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Cohort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cohort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text.as_str()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_is_no_cohort_is_refused() {
        assert!(Cohort::try_from("55+:tech:999").is_ok());
        for bad in [
            "",
            "25-34",
            "25-34:tech",
            "25-34:tech:1000",
            "25-34:tech:-1",
            "25-34:tech:01",
            "25-34:tech:+1",
            "25-34:Tech:1",
            "26-34:tech:1",
            "25-34:tech:1:2",
            " 25-34:tech:1",
            "25-34:tech:1\n",
        ] {
            assert_eq!(Cohort::try_from(bad), Err(NoCohort), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_user_has_a_cohort_that_reads_back(bytes: [u8; 32]) {
            let cohort = Cohort::of(&WalletAddress::from_bytes(bytes));
            prop_assert_eq!(Cohort::try_from(cohort.as_str()), Ok(cohort.clone()));
        }
    }
}
