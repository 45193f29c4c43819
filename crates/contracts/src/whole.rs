//! Whole numbers as JSON Schema has them: `76.0` is one.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Number;

/// For `deserialize_with` of an optional field.
pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let text = number.to_string();
    let whole = text.strip_suffix(".0").unwrap_or(&text).parse::<u64>().ok();
    let whole = whole.and_then(|whole| T::try_from(whole).ok());
    whole.map_or_else(
        || Err(D::Error::custom("must be a whole number in range")),
        |it| Ok(Some(it)),
    )
}

#[cfg(test)]
mod tests {
    use crate::staking::PoolTerms;

    fn bps(text: &str) -> Option<u16> {
        let terms = format!(r#"{{"revenueShareBps": {text}}}"#);
        let terms = serde_json::from_str::<PoolTerms>(&terms).ok()?;
        terms.revenue_share_bps
    }

    #[test]
    fn a_number_is_whole_by_its_value_and_not_by_how_it_is_written() {
        assert_eq!(bps("76"), Some(76));
        assert_eq!(bps("76.0"), Some(76));
        for bad in ["76.5", "-1", "-1.0", "70000", "1e40", "\"76\"", "true"] {
            assert_eq!(bps(bad), None, "{bad}");
        }
    }
}
