//! Whom a filter is for, as it is asked for.

use super::Cohort;
use crate::Refusal;
use contracts::FieldError;
use std::collections::BTreeSet;

/// Cohorts one list can name.
pub const MOST_COHORTS: usize = 100;
/// Longer queries are not read.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// Whom a filter is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// Members of these.
    pub cohorts: BTreeSet<Cohort>,
    /// But not of these.
    pub exclude: BTreeSet<Cohort>,
    /// With at least this trust score.
    pub min_trust_score: u8,
}

impl Criteria {
    /// Reads the query's names and values: `cohorts` and `excludeCohorts`, each a list with commas, `minTrustScore`.
    pub fn parse<'a>(
        query_bytes: usize,
        pairs: impl Iterator<Item = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>,
    ) -> Result<Self, Refusal> {
        if query_bytes > MAX_QUERY_BYTES {
            return Err(invalid("", "the query is longer than 8192 bytes"));
        }
        let mut criteria = Self::default();
        let mut seen = BTreeSet::new();
        for (name, value) in pairs {
            if !seen.insert(name.to_string()) {
                return Err(invalid("", "a parameter is there twice"));
            }
            match name.as_ref() {
                "cohorts" => criteria.cohorts = list("/cohorts", &value)?,
                "excludeCohorts" => criteria.exclude = list("/excludeCohorts", &value)?,
                "minTrustScore" => {
                    criteria.min_trust_score = value
                        .parse()
                        .ok()
                        .filter(|score| *score <= 100)
                        .ok_or_else(|| invalid("/minTrustScore", "must be 0 to 100"))?;
                }
                _ => return Err(invalid("", "there is no such parameter")),
            }
        }
        if criteria.cohorts.is_empty() {
            return Err(invalid("/cohorts", "must name at least one cohort"));
        }
        Ok(criteria)
    }
}

fn list(pointer: &str, value: &str) -> Result<BTreeSet<Cohort>, Refusal> {
    let cohorts: BTreeSet<Cohort> = value
        .split(',')
        .filter(|name| !name.is_empty())
        .map(Cohort::try_from)
        .collect::<Result<_, _>>()
        .map_err(|_| invalid(pointer, "must be cohorts such as 25-34:tech:123"))?;
    if cohorts.len() > MOST_COHORTS {
        return Err(invalid(pointer, "names more than 100 cohorts"));
    }
    Ok(cohorts)
}

fn invalid(pointer: &str, message: &str) -> Refusal {
    Refusal::invalid(vec![FieldError {
        pointer: pointer.to_owned(),
        message: message.to_owned(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Criteria, Refusal> {
        let pairs = pairs.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        Criteria::parse(10, pairs)
    }

    #[test]
    fn criteria_are_bounded_and_known() {
        let good = parse(&[
            ("cohorts", "25-34:tech:1,25-34:tech:1,55+:sports:9"),
            ("excludeCohorts", "18-24:tech:1"),
            ("minTrustScore", "70"),
        ])
        .unwrap();
        assert_eq!(
            (good.cohorts.len(), good.exclude.len(), good.min_trust_score),
            (2, 1, 70)
        );
        let many: Vec<String> = (0..101).map(|n| format!("25-34:tech:{n}")).collect();
        let many = many.join(",");
        for bad in [
            &[][..],
            &[("cohorts", "")],
            &[("cohorts", "all")],
            &[("cohorts", &many)],
            &[("cohorts", "55+:tech:1"), ("cohorts", "55+:tech:2")],
            &[("cohorts", "55+:tech:1"), ("minTrustScore", "101")],
            &[("cohorts", "55+:tech:1"), ("minTrustScore", "-1")],
            &[("cohorts", "55+:tech:1"), ("userId", "x")],
            &[("excludeCohorts", "55+:tech:1")],
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(Criteria::parse(MAX_QUERY_BYTES + 1, std::iter::empty()).is_err());
    }
}
