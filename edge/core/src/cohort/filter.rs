//! What a page gets to decide with.

use super::{Bloom, BloomDocument, Cohort, Criteria, Salt, Week};
use serde::{Deserialize, Serialize};

/// The form of the document.
pub const VERSION: &str = "twist-cohort-filter-v1";

/// Whom something is for, in a form that names no cohort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// [`VERSION`].
    pub version: String,
    /// The week whose salt is in it, by number.
    pub week: u64,
    /// After this, epoch ms, it is no longer to be used.
    pub valid_until: u64,
    /// Members of these.
    pub include: BloomDocument,
    /// But not of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<BloomDocument>,
    /// With at least this trust score.
    pub min_trust_score: u8,
    /// Cohorts that were asked for and left out, because too few of their members were seen.
    pub suppressed: usize,
}

impl Filter {
    /// Makes one; `members` gives how many of a cohort were seen. Cohorts below `k` are left out; when that are all,
    /// there is no filter.
    pub fn make(
        criteria: &Criteria,
        members: impl Fn(&Cohort) -> u64,
        k: u32,
        salt: &Salt,
        week: Week,
    ) -> Option<Self> {
        let enough = |cohort: &&Cohort| members(cohort) >= u64::from(k);
        let include: Vec<&Cohort> = criteria.cohorts.iter().filter(enough).collect();
        let exclude: Vec<&Cohort> = criteria.exclude.iter().filter(enough).collect();
        let asked = criteria.cohorts.len() + criteria.exclude.len();
        if include.is_empty() {
            return None;
        }
        Some(Self {
            version: VERSION.to_owned(),
            week: week.number(),
            valid_until: week.expires_at(),
            suppressed: asked.saturating_sub(include.len() + exclude.len()),
            include: set(&include, salt),
            exclude: (!exclude.is_empty()).then(|| set(&exclude, salt)),
            min_trust_score: criteria.min_trust_score,
        })
    }

    /// What a page decides: whether a member of `cohort` with this trust score is meant. Errs for one in a hundred that
    /// are not named.
    pub fn admits(&self, cohort: &Cohort, trust_score: u8, salt: &Salt) -> bool {
        let element = salt.element(cohort);
        let in_it = |document| Bloom::try_from(document).is_ok_and(|set| set.contains(&element));
        trust_score >= self.min_trust_score
            && in_it(&self.include)
            && !self.exclude.as_ref().is_some_and(in_it)
    }
}

fn set(cohorts: &[&Cohort], salt: &Salt) -> BloomDocument {
    let mut set = Bloom::sized_for(cohorts.len());
    for cohort in cohorts {
        set.insert(&salt.element(cohort));
    }
    set.document()
}

#[cfg(test)]
mod tests {
    use super::super::pseudonym;
    use super::*;
    use crate::Secret;
    use domain::{EpochMs, WalletAddress};

    fn cohort(text: &str) -> Cohort {
        Cohort::try_from(text).unwrap()
    }

    fn secret() -> Secret {
        Secret::new("a secret for the vectors of cohorts")
    }

    fn week(ms: u64) -> Week {
        Week::of(EpochMs::new(ms).unwrap())
    }

    #[test]
    fn a_cohort_of_too_few_is_in_no_filter() {
        let criteria = Criteria {
            cohorts: ["25-34:tech:1", "25-34:tech:2"].map(cohort).into(),
            exclude: [cohort("25-34:tech:3")].into(),
            min_trust_score: 60,
        };
        let week = week(1_795_824_000_000);
        let salt = Salt::of(&secret(), week);
        let seen = |c: &Cohort| if c.as_str().ends_with(":1") { 5 } else { 4 };
        let filter = Filter::make(&criteria, seen, 5, &salt, week).unwrap();
        assert_eq!((filter.suppressed, filter.exclude.is_none()), (2, true));
        assert!(filter.admits(&cohort("25-34:tech:1"), 60, &salt));
        assert!(!filter.admits(&cohort("25-34:tech:1"), 59, &salt));
        assert!(!filter.admits(&cohort("25-34:tech:2"), 99, &salt));
        assert_eq!(Filter::make(&criteria, |_| 4, 5, &salt, week), None);
    }

    #[test]
    fn who_is_in_an_excluded_cohort_is_not_meant() {
        let both = cohort("25-34:tech:1");
        let criteria = Criteria {
            cohorts: [both.clone(), cohort("25-34:tech:2")].into(),
            exclude: [both.clone()].into(),
            min_trust_score: 0,
        };
        let week = week(0);
        let salt = Salt::of(&secret(), week);
        let filter = Filter::make(&criteria, |_| 5, 5, &salt, week).unwrap();
        assert!(!filter.admits(&both, 100, &salt));
        assert!(filter.admits(&cohort("25-34:tech:2"), 0, &salt));
    }

    #[test]
    fn weeks_start_on_monday_and_are_accepted_until_the_next_has_ended() {
        let monday = 1_795_996_800_000; // 2026-11-30
        assert_eq!(week(monday), week(monday + 7 * 86_400_000 - 1));
        assert_eq!(week(monday - 1), week(monday).before());
        assert_eq!(week(monday).expires_at(), monday + 14 * 86_400_000);
        assert_eq!(week(0).number(), 0);
    }

    #[test]
    fn nobody_can_be_followed_from_one_week_to_the_next() {
        let now = week(1_795_824_000_000);
        assert_ne!(
            pseudonym(&secret(), now, "u"),
            pseudonym(&secret(), now.before(), "u")
        );
        assert_ne!(Salt::of(&secret(), now), Salt::of(&secret(), now.before()));
        let other = Secret::new("another secret, as long as it takes");
        assert_ne!(pseudonym(&secret(), now, "u"), pseudonym(&other, now, "u"));
    }

    #[test]
    fn the_bytes_are_the_published_ones() {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/cohorts-v1.json"))
                .unwrap();
        let secret = Secret::new(vector["secret"].as_str().unwrap());
        let week = week(vector["at"].as_u64().unwrap());
        let salt = Salt::of(&secret, week);
        assert_eq!(week.number(), vector["week"]);
        assert_eq!(salt.text(), vector["salt"]);
        for user in vector["users"].as_array().unwrap() {
            let wallet = WalletAddress::try_from(user["userId"].as_str().unwrap()).unwrap();
            let cohort = Cohort::of(&wallet);
            assert_eq!(cohort.as_str(), user["cohort"]);
            assert_eq!(hex::encode(salt.element(&cohort)), user["elementHex"]);
            assert_eq!(
                pseudonym(&secret, week, &wallet.to_string()),
                user["pseudonym"]
            );
        }
        let names = |key: &str| {
            let list = vector["criteria"][key].as_array().unwrap();
            list.iter()
                .map(|name| cohort(name.as_str().unwrap()))
                .collect()
        };
        let criteria = Criteria {
            cohorts: names("cohorts"),
            exclude: names("excludeCohorts"),
            min_trust_score: 60,
        };
        let filter = Filter::make(&criteria, |_| 5, 5, &salt, week).unwrap();
        assert_eq!(serde_json::to_value(&filter).unwrap(), vector["filter"]);
    }
}
