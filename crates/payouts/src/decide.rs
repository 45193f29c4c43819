//! What people decide about a payout.

use crate::PayoutError;
use crate::change::{Actor, With, apply};
use crate::payout::{Payout, lock};
use crate::request::approve_if_small;
use domain::payout::Change;
use failpoint::Point;
use ledger::{Cause, TxKind, phase};
use sea_orm::DatabaseTransaction;
use service::clock;
use uuid::Uuid;

/// Approves the payout `id`, by a person who is not paid by it.
///
/// # Errors
/// [`PayoutError::OwnApproval`], [`PayoutError::NotFound`], [`PayoutError::State`] unless it is requested.
pub async fn approve(
    tx: &DatabaseTransaction,
    id: Uuid,
    by: Uuid,
    reason: Option<&str>,
) -> Result<Payout, PayoutError> {
    let payout = lock(tx, id).await?;
    if payout.influencer.user == by {
        return Err(PayoutError::OwnApproval);
    }
    let with = With {
        reason,
        ..With::default()
    };
    apply(tx, &payout, Change::Approve, &Actor::User(by), with).await
}

/// Calls the payout `id` off and gives its money back.
///
/// # Errors
/// [`PayoutError::NotFound`] also if it is not that of the user `by`, [`PayoutError::State`] when it is held, signed or
/// over.
pub async fn cancel(tx: &DatabaseTransaction, id: Uuid, by: Uuid) -> Result<Payout, PayoutError> {
    let payout = lock(tx, id).await?;
    if payout.influencer.user != by {
        return Err(PayoutError::NotFound);
    }
    give_back(tx, &payout, Change::Cancel, &Actor::User(by), None).await
}

/// Turns the payout `id` down and gives its money back.
///
/// # Errors
/// [`PayoutError::NotFound`], [`PayoutError::State`] when it is signed or over.
pub async fn reject(
    tx: &DatabaseTransaction,
    id: Uuid,
    by: Uuid,
    reason: &str,
) -> Result<Payout, PayoutError> {
    let payout = lock(tx, id).await?;
    give_back(tx, &payout, Change::Reject, &Actor::User(by), Some(reason)).await
}

/// Keeps the payout `id` back; its money stays set aside.
///
/// # Errors
/// [`PayoutError::NotFound`], [`PayoutError::State`] unless it is requested or approved.
pub async fn hold(
    tx: &DatabaseTransaction,
    id: Uuid,
    by: Uuid,
    reason: &str,
) -> Result<Payout, PayoutError> {
    let payout = lock(tx, id).await?;
    let with = With {
        reason: Some(reason),
        ..With::default()
    };
    apply(tx, &payout, Change::Hold, &Actor::User(by), with).await
}

/// Keeps the payout `id` back no longer. It has to be approved anew, by the policy if that needs nobody.
///
/// # Errors
/// [`PayoutError::OwnApproval`] for the payee, [`PayoutError::NotFound`], [`PayoutError::State`] unless it is held.
pub async fn unhold(
    tx: &DatabaseTransaction,
    id: Uuid,
    by: Uuid,
    reason: Option<&str>,
) -> Result<Payout, PayoutError> {
    let payout = lock(tx, id).await?;
    if payout.influencer.user == by {
        return Err(PayoutError::OwnApproval);
    }
    let with = With {
        reason,
        ..With::default()
    };
    let payout = apply(tx, &payout, Change::Release, &Actor::User(by), with).await?;
    approve_if_small(tx, payout).await
}

/// Ends a payout that was not paid.
async fn give_back(
    tx: &DatabaseTransaction,
    payout: &Payout,
    change: Change,
    actor: &Actor,
    reason: Option<&str>,
) -> Result<Payout, PayoutError> {
    // Before the ledger is touched, whose refusal would say less.
    payout.state.after(change)?;
    let kind = match change {
        Change::Cancel => TxKind::PayoutCancelled,
        Change::Reject => TxKind::PayoutRejected,
        _ => TxKind::PayoutFailed,
    };
    let cause = Cause {
        kind,
        source_ref: payout.id.to_string(),
        effective_at: clock::now_ms(),
    };
    phase::void_pending(tx, payout.reservation(), &cause).await?;
    failpoint::here(Point::PayoutVoided);
    let with = With {
        reason,
        ..With::default()
    };
    apply(tx, payout, change, actor, with).await
}

/// Ends a payout that could not be paid: that no money moved is proven.
///
/// # Errors
/// [`PayoutError::State`] when the state does not admit it.
pub(crate) async fn fail(
    tx: &DatabaseTransaction,
    payout: &Payout,
    actor: &Actor,
    reason: &str,
) -> Result<Payout, PayoutError> {
    give_back(tx, payout, Change::Fail, actor, Some(reason)).await
}
