//! Payouts of what influencers earned.

use crate::staking::PositiveAmount;
use domain::payout;
use domain::{Amount, WalletAddress};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Declares an enum of the wire that is one of `domain`, word for word.
macro_rules! mirrored {
    ($(#[$doc:meta])* $name:ident of $of:path { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl From<$of> for $name {
            fn from(of: $of) -> Self {
                use $of as Of;
                match of {
                    $(Of::$variant => Self::$variant,)*
                }
            }
        }

        impl From<$name> for $of {
            fn from(name: $name) -> Self {
                use $of as Of;
                match name {
                    $($name::$variant => Of::$variant,)*
                }
            }
        }
    };
}

mirrored! {
    /// Where a payout is, exactly.
    PayoutState of payout::State {
        /// Asked for; its money is set aside.
        Requested,
        /// Kept back while somebody looks into it.
        Held,
        /// May be paid.
        Approved,
        /// Part of a batch that is being made.
        Batched,
        /// A transaction that pays it is signed; it cannot be called off any more.
        Signed,
        /// That transaction was sent.
        Submitted,
        /// It was seen on chain.
        Confirmed,
        /// Paid, for good.
        Finalized,
        /// Called off by the payee.
        Cancelled,
        /// Turned down.
        Rejected,
        /// Could not be paid; no money moved.
        Failed,
        /// Whether money moved cannot be said yet.
        Unknown,
    }
}

mirrored! {
    /// Where a payout is, in few words.
    PayoutStatus of payout::Status {
        /// Not under way yet.
        Pending,
        /// Under way; cannot be called off.
        Processing,
        /// Paid.
        Completed,
        /// Turned down or failed.
        Failed,
        /// Called off.
        Cancelled,
    }
}

/// How a payout is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PayoutMethod {
    /// Into the payee's available balance.
    Ledger,
    /// To a wallet on chain; 501 where no chain is configured.
    Crypto,
    /// 501.
    Bank,
    /// 501.
    Paypal,
}

/// Lengths of time that analytics count by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PayoutPeriod {
    /// UTC days, `2026-11-28`.
    Day,
    /// ISO weeks, `2026-W48`.
    Week,
    /// UTC months, `2026-11`.
    #[default]
    Month,
}

/// Declares types of the wire.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident $(($refuse:ident))? { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase" $(, $refuse)?)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}

wire! {
    /// `POST /payouts/request`.
    RequestPayout (deny_unknown_fields) {
        /// How much of the payable balance.
        amount: PositiveAmount,
        /// How it is paid.
        method: PayoutMethod,
        /// Where to, of `crypto` only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wallet_address: Option<WalletAddress>,
    }

    /// A payout.
    Payout {
        /// Names it for ever.
        id: Uuid,
        /// Whose earnings.
        influencer_id: Uuid,
        /// What leaves the payable balance.
        amount: Amount,
        /// `TWIST`.
        currency: String,
        /// How it is paid.
        method: PayoutMethod,
        /// Where it is, in few words.
        status: PayoutStatus,
        /// Where it is, exactly.
        state: PayoutState,
        /// Counts its changes, from 1.
        version: i64,
        /// The terms that it was asked for under.
        policy_id: i64,
        /// The platform's part of the amount.
        platform_fee: Amount,
        /// What each payout costs.
        processing_fee: Amount,
        /// What arrives.
        net_amount: Amount,
        /// Where it goes; null unless the method needs to know.
        wallet_address: Option<WalletAddress>,
        /// The ledger transaction that paid it; null until it is paid.
        transaction_id: Option<Uuid>,
        /// Why it was turned down or failed; null if it was not.
        failure_reason: Option<String>,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        requested_at: String,
        /// RFC 3339; null until it is approved.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        approved_at: Option<String>,
        /// When it was over, RFC 3339; null until it is.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        processed_at: Option<String>,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        updated_at: String,
    }

    /// `POST /payouts/{id}/reject`, `POST /payouts/{id}/hold`.
    PayoutReason (deny_unknown_fields) {
        /// Why; 1 to 500 characters, none of them a control character. The payee sees that of a rejection.
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 500), regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")))]
        reason: String,
    }

    /// `GET /payouts/balance`.
    PayoutBalance {
        /// What can be asked to be paid.
        balance: Amount,
        /// The same.
        available: Amount,
        /// Set aside for an open payout.
        reserved: Amount,
        /// Earned, and still inside the holding period.
        pending: Amount,
        /// `TWIST`.
        currency: String,
        /// When this was read, RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        last_updated: String,
    }

    /// `GET /payouts/history`, newest first.
    PayoutHistory {
        /// At most `limit` payouts.
        payouts: Vec<Payout>,
        /// How many there are that fit.
        total: u64,
        /// As asked for.
        limit: u32,
        /// As asked for.
        offset: u32,
    }

    /// `POST /payouts/calculate`.
    CalculatePayout (deny_unknown_fields) {
        /// The caller's own.
        influencer_id: Uuid,
        /// From this moment on, RFC 3339, or from the start of this UTC day.
        #[cfg_attr(feature = "schema", schemars(length(min = 10, max = 40)))]
        start_date: String,
        /// Before this moment, RFC 3339, or to the end of this UTC day.
        #[cfg_attr(feature = "schema", schemars(length(min = 10, max = 40)))]
        end_date: String,
        /// Whether bonuses count; there are none yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        include_bonus: Option<bool>,
    }

    /// What was earned in a period, and what a payout of all of it would leave.
    PayoutCalculation {
        /// The influencer.
        influencer_id: Uuid,
        /// What was asked for.
        period: Period,
        /// By where it came from.
        earnings: PayoutEarnings,
        /// What a payout costs.
        deductions: PayoutDeductions,
        /// What would arrive; 0 if the fees are as much as the earnings.
        net_amount: Amount,
        /// The earnings one by one, newest first, at most 100.
        items: Vec<PayoutItem>,
    }

    /// A length of time.
    Period {
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        start: String,
        /// RFC 3339; not part of it.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        end: String,
    }

    /// Earnings by where they came from.
    PayoutEarnings {
        /// Commissions of conversions, less what stakers were given of them.
        conversions: Amount,
        /// The influencer's part of what was distributed in the own pool.
        staking_rewards: Amount,
        /// 0: there are no bonuses yet.
        bonuses: Amount,
        /// The sum.
        total: Amount,
    }

    /// Fees.
    PayoutDeductions {
        /// The platform's part.
        platform_fee: Amount,
        /// What each payout costs; 0 when nothing was earned.
        processing_fee: Amount,
        /// The sum.
        total: Amount,
    }

    /// One earning.
    PayoutItem {
        /// `conversion` or `staking_reward`.
        #[serde(rename = "type")]
        kind: String,
        /// How much.
        amount: Amount,
        /// For people.
        description: String,
        /// The distribution.
        reference_id: Uuid,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        created_at: String,
    }

    /// `GET /payouts/analytics`.
    PayoutAnalytics {
        /// Those with payouts, the oldest first.
        periods: Vec<PayoutsOfPeriod>,
        /// All of them.
        summary: PayoutSummary,
    }

    /// The payouts that were asked for in a period.
    PayoutsOfPeriod {
        /// `2026-11-28`, `2026-W48` or `2026-11`.
        period: String,
        /// How many.
        count: u64,
        /// Their sum.
        amount: Amount,
        /// Of one, rounded down.
        average: Amount,
    }

    /// The payouts of all periods.
    PayoutSummary {
        /// How many.
        total_payouts: u64,
        /// Their sum.
        total_amount: Amount,
        /// Of one, rounded down.
        average_amount: Amount,
    }

    /// `PUT /payouts/auto`: whether all that is payable is paid on day 1 of each month.
    AutoPayout (deny_unknown_fields) {
        /// Whether.
        enabled: bool,
        /// How.
        method: PayoutMethod,
    }

    /// `GET /admin/payout-policy`: the terms in force.
    PayoutPolicy {
        /// Names them for ever.
        id: i64,
        /// The least that can be paid out.
        minimum: Amount,
        /// The platform's part, in basis points.
        platform_fee_bps: u16,
        /// What each payout costs.
        processing_fee: Amount,
        /// Above it a second person has to approve.
        approval_limit: Amount,
        /// So long after it was made an earning cannot be paid out.
        holding_seconds: u32,
        /// Who set them.
        actor: String,
        /// Why.
        reason: String,
        /// RFC 3339.
        #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
        created_at: String,
    }
}

/// `PUT /admin/payout-policy`: the next terms. What is left out stays as it is. What was asked for before keeps its terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetPayoutPolicy {
    /// The least that can be paid out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<PositiveAmount>,
    /// The platform's part, in basis points.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::whole::deserialize"
    )]
    #[cfg_attr(feature = "schema", schemars(range(max = 10_000)))]
    pub platform_fee_bps: Option<u16>,
    /// What each payout costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing_fee: Option<Amount>,
    /// Above it a second person has to approve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_limit: Option<Amount>,
    /// So long after it was made an earning cannot be paid out; at most a year.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::whole::deserialize"
    )]
    #[cfg_attr(feature = "schema", schemars(range(max = 31_536_000)))]
    pub holding_seconds: Option<u32>,
    /// Why; 1 to 500 characters, none of them a control character.
    #[cfg_attr(
        feature = "schema",
        schemars(
            length(min = 1, max = 500),
            regex(pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")
        )
    )]
    pub reason: String,
}
