//! A batch of VAUs: its envelope is right or the whole is refused; its items are right or wrong one by one.

use crate::shard::{Candidate, Group, Lookup};
use crate::{Refusal, request, signature, window};
use contracts::ingest::{OtherItem, SignedBatch};
use contracts::vau::{VauBatch, VauSubmission};
use contracts::{Code, FieldError};
use domain::vau::batch_canonical;
use domain::{DeviceId, EpochMs, Fingerprint, WalletAddress};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The longest body of a batch, in bytes: a hundred VAUs of 2 KiB, or fewer longer ones.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// The most VAUs in a batch.
pub const MAX_VAUS: usize = 100;
/// The most devices in a batch: as many as a user may have.
pub const MAX_DEVICES: usize = 10;
const MAX_ID_BYTES: usize = 128;

/// A batch whose envelope is right.
#[derive(Debug)]
pub struct Batch {
    /// The client's name for it.
    pub batch_id: String,
    /// How many items it has.
    pub size: usize,
    /// The device's signature over all of them, with the key and the bytes it has to hold for.
    pub seal: Option<Seal>,
    submitted_at: EpochMs,
    items: Vec<(u32, VauSubmission)>,
    refused: Vec<(u32, Refusal)>,
    others: Vec<OtherItem>,
}

/// A signature over a whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Whose.
    pub device_id: DeviceId,
    /// Over what.
    pub message: Vec<u8>,
    /// The signature; nothing when its text is not one.
    pub signature: Option<[u8; 64]>,
    /// Its text.
    text: String,
}

/// The body is longer than [`MAX_BODY_BYTES`].
pub const fn too_large() -> Refusal {
    Refusal::new(
        Code::RequestTooLarge,
        "The body of a batch must not be longer than 256 KiB.",
    )
}

/// Reads a batch.
pub fn parse(body: &[u8]) -> Result<Batch, Refusal> {
    if body.len() > MAX_BODY_BYTES {
        return Err(too_large());
    }
    let batch: VauBatch<Box<RawValue>> = request::read(body)?;
    check_envelope(&batch)?;
    let signed = batch.signature.is_some();
    let (mut items, mut refused) = (Vec::new(), Vec::new());
    for (index, item) in (0u32..).zip(&batch.vaus) {
        let text = item.get().as_bytes();
        let vau = if text.len() > request::MAX_BODY_BYTES {
            Err(request::too_large())
        } else if signed {
            request::parse_unsigned(text)
        } else {
            request::parse(text)
        };
        match vau {
            Ok(vau) => items.push((index, vau)),
            Err(refusal) => refused.push((index, refusal)),
        }
    }
    let size = batch.vaus.len();
    let seal = match batch.signature {
        Some(text) => Some(seal(
            &batch.batch_id,
            batch.submitted_at,
            text,
            &items,
            &refused,
        )?),
        None => None,
    };
    Ok(Batch {
        batch_id: batch.batch_id,
        size,
        seal,
        submitted_at: batch.submitted_at,
        items,
        refused,
        others: Vec::new(),
    })
}

fn check_envelope(batch: &VauBatch<Box<RawValue>>) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    let visible = batch.batch_id.bytes().all(|b| b.is_ascii_graphic());
    if batch.batch_id.is_empty() || batch.batch_id.len() > MAX_ID_BYTES || !visible {
        wrong.push(FieldError {
            pointer: "/batchId".to_owned(),
            message: "must be 1 to 128 visible ASCII characters".to_owned(),
        });
    }
    if !wrong.is_empty() {
        return Err(Refusal::invalid(wrong));
    }
    if batch.vaus.is_empty() || batch.vaus.len() > MAX_VAUS {
        return Err(Refusal::new(
            Code::VauBatchSize,
            "Send 1 to 100 VAUs in a batch; split a longer one.",
        ));
    }
    Ok(())
}

/// What the signature over the whole has to hold for. It covers every item, so each must be readable.
fn seal(
    batch_id: &str,
    submitted_at: EpochMs,
    text: String,
    items: &[(u32, VauSubmission)],
    refused: &[(u32, Refusal)],
) -> Result<Seal, Refusal> {
    if let Some((index, refusal)) = refused.first() {
        let below = |field: &FieldError| FieldError {
            pointer: format!("/vaus/{index}{}", field.pointer),
            message: field.message.clone(),
        };
        return Err(Refusal {
            fields: refusal.fields.iter().map(below).collect(),
            ..Refusal::new(
                refusal.code,
                "A batch that is signed as a whole is refused as a whole when one of its VAUs cannot be read; \
                 sign each VAU, or leave that one out.",
            )
        });
    }
    let (_, first) = items.first().ok_or(Refusal::new(
        Code::VauBatchSize,
        "Send 1 to 100 VAUs in a batch; split a longer one.",
    ))?;
    if items
        .iter()
        .any(|(_, vau)| vau.device_id != first.device_id)
    {
        return Err(Refusal::new(
            Code::VauSignatureInvalid,
            "A batch that is signed as a whole holds the VAUs of one device; sign each VAU, or send one batch a device.",
        ));
    }
    if let Some((index, _)) = items.iter().find(|(_, vau)| !vau.signature.is_empty()) {
        return Err(Refusal::invalid(vec![FieldError {
            pointer: format!("/vaus/{index}/signature"),
            message: "must be left out when the batch is signed as a whole".to_owned(),
        }]));
    }
    let prints: Vec<Fingerprint> = items
        .iter()
        .map(|(_, vau)| vau.signed_fields().fingerprint())
        .collect();
    Ok(Seal {
        device_id: first.device_id,
        message: batch_canonical(batch_id, submitted_at, &prints),
        signature: signature::parse(&text),
        text,
    })
}

impl Batch {
    /// Refuses the batch outside its window, and the items outside theirs.
    pub fn check_time(&mut self, now: EpochMs) -> Result<(), Refusal> {
        window::check_batch(self.submitted_at, now)?;
        let submitted_at = self.submitted_at;
        self.check(|vau| window::check_in_batch(vau.timestamp, submitted_at));
        Ok(())
    }

    /// Refuses the items of anybody but `user`.
    pub fn check_user(&mut self, user: &WalletAddress) {
        self.check(|vau| {
            if vau.user_id == *user {
                Ok(())
            } else {
                Err(Refusal::new(
                    Code::PermissionDenied,
                    "userId must be the wallet that signed in.",
                ))
            }
        });
    }

    /// The items that are right so far.
    pub fn items(&self) -> &[(u32, VauSubmission)] {
        &self.items
    }

    /// Refuses the item at `index`.
    pub fn refuse(&mut self, index: u32, refusal: &Refusal) {
        self.check_indexed(|at, _| {
            if at == index {
                Err(refusal.clone())
            } else {
                Ok(())
            }
        });
    }

    fn check(&mut self, rule: impl Fn(&VauSubmission) -> Result<(), Refusal>) {
        self.check_indexed(|_, vau| rule(vau));
    }

    fn check_indexed(&mut self, rule: impl Fn(u32, &VauSubmission) -> Result<(), Refusal>) {
        let items = std::mem::take(&mut self.items);
        for (index, vau) in items {
            match rule(index, &vau) {
                Ok(()) => self.items.push((index, vau)),
                Err(refusal) => {
                    let fingerprint = vau.signed_fields().fingerprint();
                    self.others.push(OtherItem { index, fingerprint });
                    self.refused.push((index, refusal));
                }
            }
        }
    }

    /// The items that are right, by device, and those that are not.
    pub fn divide(self) -> (Vec<Group>, Vec<(u32, Refusal)>) {
        let mut refused = self.refused;
        let mut groups = BTreeMap::<DeviceId, Group>::new();
        let sealed = self.seal.map(|seal| SignedBatch {
            batch_id: self.batch_id,
            submitted_at: self.submitted_at,
            signature: seal.text,
            others: Vec::new(),
        });
        for (index, vau) in self.items {
            let device_id = vau.device_id;
            if groups.len() >= MAX_DEVICES && !groups.contains_key(&device_id) {
                refused.push((
                    index,
                    Refusal::new(
                        Code::VauBatchSize,
                        "A batch holds the VAUs of at most 10 devices; split it.",
                    ),
                ));
                continue;
            }
            let group = groups.entry(device_id).or_insert_with(|| Group {
                device_id,
                lookup: Lookup::NotAsked,
                signed: sealed.clone(),
                others: self.others.clone(),
                items: Vec::new(),
            });
            let signature = sealed.is_none().then(|| vau.signature.clone());
            group.items.push(Candidate::of(index, vau, signature));
        }
        if sealed.is_none() {
            // Each item stands for itself.
            for group in groups.values_mut() {
                group.others.clear();
            }
        }
        (groups.into_values().collect(), refused)
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
