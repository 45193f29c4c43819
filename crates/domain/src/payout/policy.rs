//! What a payout costs, and when a second person has to approve it.

use crate::money::{Amount, AmountError};

/// Basis points in the whole.
const WHOLE: u128 = 10_000;

/// The longest holding period: a year.
const MAX_HOLDING_SECONDS: u32 = 31_536_000;

/// The terms of payouts. A payout keeps those that it was asked for under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    minimum: Amount,
    platform_fee_bps: u16,
    processing_fee: Amount,
    approval_limit: Amount,
    holding_seconds: u32,
}

/// Why terms cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// More than the whole.
    #[error("a platform fee is 0 to 10000 basis points")]
    PlatformFee,
    /// More than a year.
    #[error("a holding period is at most 31536000 seconds")]
    Holding,
    /// The least that can be paid out would be fees and nothing else.
    #[error("the fees leave nothing of the minimum")]
    Minimum,
}

/// Why an amount cannot be paid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// Less than the minimum.
    #[error("the amount is below the minimum")]
    BelowMinimum,
    /// The fees are the amount or more.
    #[error("the fees leave nothing of the amount")]
    NothingLeft,
}

/// An amount, taken apart. The parts are the amount again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// What leaves the payable balance.
    pub amount: Amount,
    /// `⌊amount × bps / 10000⌋`.
    pub platform_fee: Amount,
    /// The same for each payout.
    pub processing_fee: Amount,
    /// What arrives; above zero.
    pub net: Amount,
}

impl Quote {
    /// Both fees.
    ///
    /// # Errors
    /// Never for a quote that was made by a policy: the fees are less than the amount.
    pub fn fees(&self) -> Result<Amount, AmountError> {
        self.platform_fee.checked_add(self.processing_fee)
    }
}

impl Policy {
    /// Terms under which a payout of `minimum` leaves something.
    ///
    /// # Errors
    /// When there would be none, or a number is out of its range.
    pub fn new(
        minimum: Amount,
        platform_fee_bps: u16,
        processing_fee: Amount,
        approval_limit: Amount,
        holding_seconds: u32,
    ) -> Result<Self, PolicyError> {
        let policy = Self {
            minimum,
            platform_fee_bps,
            processing_fee,
            approval_limit,
            holding_seconds,
        };
        if u128::from(platform_fee_bps) > WHOLE {
            return Err(PolicyError::PlatformFee);
        }
        if holding_seconds > MAX_HOLDING_SECONDS {
            return Err(PolicyError::Holding);
        }
        // What is left never shrinks when the amount grows, so the minimum is the worst case.
        match policy.quote(minimum) {
            Ok(_) => Ok(policy),
            Err(_) => Err(PolicyError::Minimum),
        }
    }

    /// The least that can be paid out.
    pub const fn minimum(&self) -> Amount {
        self.minimum
    }

    /// The platform's part, in basis points.
    pub const fn platform_fee_bps(&self) -> u16 {
        self.platform_fee_bps
    }

    /// What each payout costs beside that.
    pub const fn processing_fee(&self) -> Amount {
        self.processing_fee
    }

    /// Up to this amount a payout needs nobody's approval.
    pub const fn approval_limit(&self) -> Amount {
        self.approval_limit
    }

    /// How long an earning cannot be paid out.
    pub const fn holding_seconds(&self) -> u32 {
        self.holding_seconds
    }

    /// Whether a person other than the payee has to approve a payout of `amount`.
    pub fn needs_second_person(&self, amount: Amount) -> bool {
        amount > self.approval_limit
    }

    /// The platform's fee for `amount`, rounded down.
    pub fn platform_fee(&self, amount: Amount) -> Amount {
        let fee = u128::from(amount.units()) * u128::from(self.platform_fee_bps) / WHOLE;
        // At most the amount, so it always fits.
        u64::try_from(fee)
            .ok()
            .and_then(|units| Amount::from_units(units).ok())
            .unwrap_or(amount)
    }

    /// What becomes of `amount`.
    ///
    /// # Errors
    /// When it is below the minimum, or the fees leave nothing.
    pub fn quote(&self, amount: Amount) -> Result<Quote, QuoteError> {
        if amount < self.minimum {
            return Err(QuoteError::BelowMinimum);
        }
        let platform_fee = self.platform_fee(amount);
        let net = platform_fee
            .checked_add(self.processing_fee)
            .and_then(|fees| amount.checked_sub(fees))
            .map_err(|_| QuoteError::NothingLeft)?;
        if net.is_zero() {
            return Err(QuoteError::NothingLeft);
        }
        Ok(Quote {
            amount,
            platform_fee,
            processing_fee: self.processing_fee,
            net,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units(n: u64) -> Amount {
        Amount::from_units(n).unwrap()
    }

    #[test]
    fn terms_that_leave_nothing_of_the_minimum_cannot_be() {
        let policy =
            |minimum, bps, fee| Policy::new(units(minimum), bps, units(fee), Amount::ZERO, 0);
        assert_eq!(policy(0, 0, 0), Err(PolicyError::Minimum));
        assert_eq!(policy(10, 0, 10), Err(PolicyError::Minimum));
        assert_eq!(policy(10, 10_000, 0), Err(PolicyError::Minimum));
        assert_eq!(policy(10, 10_001, 0), Err(PolicyError::PlatformFee));
        assert!(policy(10, 9_000, 0).is_ok());
        let long = Policy::new(units(1), 0, Amount::ZERO, Amount::ZERO, 31_536_001);
        assert_eq!(long, Err(PolicyError::Holding));
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole_and_something_is_left(
            minimum in 0..=i64::MAX.unsigned_abs(), bps in 0u16..=10_000,
            fee in 0..=i64::MAX.unsigned_abs(), amount in 0..=i64::MAX.unsigned_abs(),
        ) {
            let Ok(policy) = Policy::new(units(minimum), bps, units(fee), Amount::ZERO, 0) else {
                return Ok(());
            };
            match policy.quote(units(amount)) {
                Ok(quote) => {
                    let parts = [quote.platform_fee, quote.processing_fee, quote.net];
                    let sum: u128 = parts.iter().map(|part| u128::from(part.units())).sum();
                    prop_assert_eq!(sum, u128::from(amount));
                    prop_assert!(!quote.net.is_zero() && amount >= minimum);
                    let exact = u128::from(amount) * u128::from(bps);
                    prop_assert!(u128::from(quote.platform_fee.units()) * 10_000 <= exact);
                    prop_assert!(exact < (u128::from(quote.platform_fee.units()) + 1) * 10_000);
                }
                Err(error) => prop_assert!(amount < minimum, "{error}"),
            }
        }
    }
}
