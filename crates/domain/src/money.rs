//! Money: whole base units of TWIST. One TWIST is 10^9 base units; nothing here rounds.

use core::fmt;

/// Base units in one TWIST.
pub const UNITS_PER_TWIST: u64 = 1_000_000_000;

/// Decimal places of the asset: `amount / 10^DECIMALS` is what a person reads.
pub const DECIMALS: u8 = 9;

/// An amount of TWIST in base units, `0 ..= i64::MAX`.
///
/// The upper bound is that of the ledger's `BIGINT` columns. On the wire it is a string of decimal
/// digits, since JSON numbers lose precision above 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(u64);

/// Why a value is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not plain decimal digits (no sign, point, exponent, space or leading zero).
    #[error("amounts are decimal digits of base units, without sign, point or leading zero")]
    Malformed,
    /// Larger than the ledger can hold, or a sum that is.
    #[error("amount is larger than {}", i64::MAX)]
    TooLarge,
    /// A difference below zero.
    #[error("amount would be negative")]
    Negative,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `units` base units.
    pub const fn from_units(units: u64) -> Result<Self, AmountError> {
        if units > i64::MAX.unsigned_abs() {
            Err(AmountError::TooLarge)
        } else {
            Ok(Self(units))
        }
    }

    /// Whole TWIST.
    pub const fn from_twist(twist: u32) -> Self {
        // u32::MAX * 10^9 is below i64::MAX.
        Self(twist as u64 * UNITS_PER_TWIST)
    }

    /// Base units.
    pub const fn units(self) -> u64 {
        self.0
    }

    /// Base units as the signed integer of a database column; always `>= 0`.
    pub const fn to_i64(self) -> i64 {
        // The constructor bounds the value, so the cast keeps it.
        self.0.cast_signed()
    }

    /// True for nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Sum, or `TooLarge`.
    pub fn checked_add(self, other: Self) -> Result<Self, AmountError> {
        self.0
            .checked_add(other.0)
            .ok_or(AmountError::TooLarge)
            .and_then(Self::from_units)
    }

    /// Difference, or `Negative`.
    pub fn checked_sub(self, other: Self) -> Result<Self, AmountError> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(AmountError::Negative)
    }

    /// The amount in TWIST for people, e.g. `5.5 TWIST`: shortest form, never rounded.
    pub fn to_twist_string(self) -> String {
        let (whole, rest) = (self.0 / UNITS_PER_TWIST, self.0 % UNITS_PER_TWIST);
        if rest == 0 {
            return format!("{whole} TWIST");
        }
        let digits = format!("{rest:09}");
        format!("{whole}.{} TWIST", digits.trim_end_matches('0'))
    }
}

impl TryFrom<i64> for Amount {
    type Error = AmountError;

    fn try_from(units: i64) -> Result<Self, AmountError> {
        u64::try_from(units)
            .map(Self)
            .map_err(|_| AmountError::Negative)
    }
}

impl TryFrom<&str> for Amount {
    type Error = AmountError;

    fn try_from(text: &str) -> Result<Self, AmountError> {
        let plain = !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text == "0" || !text.starts_with('0'));
        if !plain {
            return Err(AmountError::Malformed);
        }
        text.parse::<u64>()
            .map_err(|_| AmountError::TooLarge)
            .and_then(Self::from_units)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(deserializer)?;
        Self::try_from(text.as_str()).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(0|[1-9][0-9]{0,18})$",
            "examples": ["1500000000"],
            "description": "Base units (10^-9 TWIST), 0 to 9223372036854775807."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_plain_digits_are_an_amount() {
        for bad in [
            "",
            "-1",
            "+1",
            "1.0",
            "1e3",
            " 1",
            "01",
            "0x10",
            "١",
            "9223372036854775808",
            "99999999999999999999999",
        ] {
            assert!(
                Amount::try_from(bad).is_err(),
                "{bad:?} was taken for an amount"
            );
        }
        assert_eq!(
            Amount::try_from("9223372036854775807").unwrap().to_i64(),
            i64::MAX
        );
        assert_eq!(Amount::try_from("0"), Ok(Amount::ZERO));
    }

    #[test]
    fn people_read_exact_amounts() {
        assert_eq!(Amount::from_twist(5).to_twist_string(), "5 TWIST");
        assert_eq!(
            Amount::from_units(1_500_000_001).unwrap().to_twist_string(),
            "1.500000001 TWIST"
        );
    }

    proptest! {
        #[test]
        fn arithmetic_never_wraps(a in 0..=i64::MAX.unsigned_abs(), b in 0..=i64::MAX.unsigned_abs()) {
            let (x, y) = (Amount::from_units(a).unwrap(), Amount::from_units(b).unwrap());
            prop_assert_eq!(x.checked_add(y).ok().map(|s| u128::from(s.units())),
                Some(u128::from(a) + u128::from(b)).filter(|s| *s <= i64::MAX.unsigned_abs().into()));
            prop_assert_eq!(x.checked_sub(y).ok().map(Amount::units), a.checked_sub(b));
            prop_assert_eq!(Amount::try_from(x.to_string().as_str()), Ok(x));
        }
    }
}
