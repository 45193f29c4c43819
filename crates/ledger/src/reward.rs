//! The posting for a VAU: the platform's rewards to the user's available balance.

use crate::account::{Account, Stripe};
use crate::error::LedgerError;
use crate::posting::{Posting, TxKind};
use domain::{Amount, EpochMs, VauId};
use uuid::Uuid;

/// Credits `user` with `earned` for the VAU `vau_id`, as of its acceptance. `group` chooses the stripe
/// of the platform's account: the VAUs of one group share it, so that a group locks one row.
pub fn reward_posting(
    vau_id: VauId,
    user: Uuid,
    earned: Amount,
    accepted_at: EpochMs,
    group: Uuid,
) -> Result<Posting, LedgerError> {
    let accounts = (
        Account::PlatformRewards(Stripe::of(group)),
        Account::UserAvailable(user),
    );
    Posting::transfer(
        TxKind::VauReward,
        vau_id.to_string(),
        accepted_at,
        accounts,
        earned,
    )
}
