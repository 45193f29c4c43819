//! What the sender of a batch is told about each of its items.

use crate::Refusal;
use crate::shard::Outcome;
use contracts::vau::{BatchAccepted, BatchItem, BatchItemStatus, VauAccepted};
use domain::Amount;

/// Puts together what was refused before the object was asked and what the object decided.
pub fn answer(
    batch_id: String,
    refused: Vec<(u32, Refusal)>,
    decided: Vec<(u32, Outcome)>,
) -> BatchAccepted {
    let refused = refused.into_iter().map(|(index, why)| rejected(index, why));
    let decided = decided.into_iter().map(|(index, outcome)| match outcome {
        Outcome::Accepted(receipt) => taken(index, BatchItemStatus::Accepted, receipt),
        Outcome::Duplicate(receipt) => taken(index, BatchItemStatus::Duplicate, receipt),
        other => match other.answer() {
            Ok(receipt) => taken(index, BatchItemStatus::Accepted, receipt),
            Err(refusal) => rejected(index, refusal),
        },
    });
    let mut items: Vec<BatchItem> = refused.chain(decided).collect();
    items.sort_by_key(|item| item.index);
    let count = |status| {
        let of = items.iter().filter(|item| item.status == status).count();
        u32::try_from(of).unwrap_or(u32::MAX)
    };
    BatchAccepted {
        batch_id,
        accepted: count(BatchItemStatus::Accepted),
        duplicates: count(BatchItemStatus::Duplicate),
        rejected: count(BatchItemStatus::Rejected),
        earned: earned(&items),
        items,
    }
}

/// A hundred rewards are far below the largest amount.
fn earned(items: &[BatchItem]) -> Amount {
    items
        .iter()
        .filter(|item| item.status == BatchItemStatus::Accepted)
        .filter_map(|item| item.receipt.as_ref())
        .fold(Amount::ZERO, |sum, receipt| {
            sum.checked_add(receipt.earned).unwrap_or(sum)
        })
}

const fn taken(index: u32, status: BatchItemStatus, receipt: VauAccepted) -> BatchItem {
    BatchItem {
        index,
        status,
        receipt: Some(receipt),
        code: None,
        detail: None,
        errors: Vec::new(),
    }
}

fn rejected(index: u32, refusal: Refusal) -> BatchItem {
    BatchItem {
        index,
        status: BatchItemStatus::Rejected,
        receipt: None,
        code: Some(refusal.code),
        detail: Some(refusal.detail.to_owned()),
        errors: refusal.fields,
    }
}
