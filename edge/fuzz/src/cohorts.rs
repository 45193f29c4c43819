//! Whom a filter is for, and the filters.

use crate::parts::{now, text};
use edge_core::Secret;
use edge_core::cohort::{
    Bloom, BloomDocument, Cohort, Criteria, Filter, MOST_COHORTS, Salt, Week, pseudonym,
};

fn salt() -> (Week, Salt) {
    let week = Week::of(now());
    (week, Salt::of(&Secret::new("a secret of cohorts"), week))
}

/// A query. Criteria that are accepted are bounded, and a filter of them admits whom they name and keeps out whom they
/// exclude.
pub(crate) fn criteria(input: &[u8]) {
    let text = text(input);
    if let Ok(cohort) = Cohort::try_from(text.as_str()) {
        assert_eq!(cohort.as_str(), text);
    }
    let _ = pseudonym(&Secret::new("x"), Week::of(now()), &text);
    let pairs = text.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.into(), value.into())
    });
    let Ok(criteria) = Criteria::parse(input.len(), pairs) else {
        return;
    };
    assert!((1..=MOST_COHORTS).contains(&criteria.cohorts.len()));
    assert!(criteria.exclude.len() <= MOST_COHORTS && criteria.min_trust_score <= 100);
    let (week, salt) = salt();
    assert_eq!(Filter::make(&criteria, |_| 4, 5, &salt, week), None);
    let Some(filter) = Filter::make(&criteria, |_| 5, 5, &salt, week) else {
        return assert!(criteria.cohorts.is_empty());
    };
    let json = serde_json::to_string(&filter).unwrap_or_default();
    assert_eq!(serde_json::from_str(&json).ok().as_ref(), Some(&filter));
    for cohort in &criteria.exclude {
        assert!(!filter.admits(cohort, 100, &salt));
    }
    if criteria.exclude.is_empty() {
        assert!(
            criteria
                .cohorts
                .iter()
                .all(|cohort| filter.admits(cohort, 100, &salt))
        );
    }
}

/// A filter as a page reads it. A set that can be read is written as it was.
pub(crate) fn filter(input: &[u8]) {
    if let Ok(filter) = serde_json::from_slice::<Filter>(input) {
        let (_, salt) = salt();
        for cohort in ["25-34:tech:1", "55+:sports:999"] {
            if let Ok(cohort) = Cohort::try_from(cohort) {
                let admitted = filter.admits(&cohort, 50, &salt);
                assert!(!admitted || filter.min_trust_score <= 50);
            }
        }
    }
    if let Ok(document) = serde_json::from_slice::<BloomDocument>(input)
        && let Ok(mut set) = Bloom::try_from(&document)
    {
        assert_eq!(set.document(), document);
        set.insert(input);
        assert!(set.contains(input));
    }
}
