//! Percentages on the wire.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A percentage with two decimals, kept in basis points: a JSON number, as `12.5`. Maths is done in basis
/// points; the number is only written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent(u32);

/// Not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a percentage has up to seven digits and at most two decimals, without sign or exponent")]
pub struct PercentError;

impl Percent {
    /// `bps` hundredths of a percent.
    pub const fn from_bps(bps: u32) -> Self {
        Self(bps)
    }

    /// Hundredths of a percent.
    pub const fn bps(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl TryFrom<&str> for Percent {
    type Error = PercentError;

    fn try_from(text: &str) -> Result<Self, PercentError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !plain(whole, 7) || !plain(decimals, 2) {
            return Err(PercentError);
        }
        // Nine digits at most.
        format!("{whole}{decimals:0<2}")
            .parse()
            .map(Self)
            .map_err(|_| PercentError)
    }
}

impl Serialize for Percent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The nearest number to these digits; writing it gives them back.
        let number: f64 = self
            .to_string()
            .parse()
            .map_err(serde::ser::Error::custom)?;
        serializer.serialize_f64(number)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Self::try_from(format!("{number:.2}").as_str()).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Percent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number",
            "minimum": 0,
            "examples": [12.5],
            "description": "Percent, with at most two decimals."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_the_same_after_the_wire() {
        for bps in [0, 1, 10, 99, 100, 1_050, 1_234, 99_999_999, 100_000_000] {
            let text = serde_json::to_string(&Percent(bps)).unwrap();
            assert_eq!(
                serde_json::from_str::<Percent>(&text).unwrap(),
                Percent(bps)
            );
        }
        assert_eq!(serde_json::to_string(&Percent(1_250)).unwrap(), "12.5");
    }

    #[test]
    fn only_plain_digits_are_a_percentage() {
        assert_eq!(Percent::try_from("12.5"), Ok(Percent(1_250)));
        assert_eq!(Percent::try_from("12"), Ok(Percent(1_200)));
        for bad in [
            "", "-1", "+1", "1e3", " 1", "1.", ".5", "1.234", "0x1", "12345678", "١",
        ] {
            assert!(Percent::try_from(bad).is_err(), "{bad:?} was taken");
        }
    }
}
