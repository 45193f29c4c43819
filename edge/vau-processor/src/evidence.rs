//! The attestations of a request: each is judged before the object is asked, by the device's own credentials.

use crate::attest;
use crate::backend::{self, Registration};
use contracts::device::Credential;
use domain::{DeviceId, EpochMs, WalletAddress};
use durable_objects::{Bindings, log_error, now};
use edge_core::Settings;
use edge_core::attestation::{Policy, Verdict as Judged};
use edge_core::device::RECHECK_DEVICE_MS;
use edge_core::shard::{Candidate, Group, Verdict};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Devices whose credentials an isolate remembers.
const MAX_DEVICES: usize = 1_000;
/// Attestations judged in one request; more say nothing about the device that these do not.
const MAX_JUDGED: usize = 5;

type Known = BTreeMap<DeviceId, (EpochMs, Vec<Credential>)>;

thread_local! {
    static CREDENTIALS: RefCell<Known> = const { RefCell::new(BTreeMap::new()) };
}

/// Remembers a device's credentials.
pub(crate) fn keep(device: DeviceId, credentials: Vec<Credential>, at: EpochMs) {
    CREDENTIALS.with_borrow_mut(|known| {
        if known.len() >= MAX_DEVICES && !known.contains_key(&device) {
            known.clear();
        }
        known.insert(device, (at, credentials));
    });
}

/// Judges the attestations of `groups`. What cannot be judged counts neither for the device nor against it.
pub(crate) async fn weigh(
    bindings: &Bindings,
    settings: &Settings,
    user: &WalletAddress,
    groups: &mut [Group],
) {
    let mut left = MAX_JUDGED;
    for group in groups {
        let attested = group.items.iter().any(|item| item.attestation.is_some());
        if !attested || left == 0 {
            continue;
        }
        let policy = match bindings.attestation_policy() {
            Ok(policy) => policy,
            Err(error) => {
                log_error("attestations cannot be judged", &error);
                return;
            }
        };
        let credentials = credentials(settings, group.device_id, user).await;
        for item in &mut group.items {
            if item.attestation.is_some() && left > 0 {
                left -= 1;
                item.verdict = judge(item, user, group.device_id, &credentials, &policy).await;
            }
        }
    }
}

async fn credentials(
    settings: &Settings,
    device: DeviceId,
    user: &WalletAddress,
) -> Vec<Credential> {
    let kept = CREDENTIALS.with_borrow(|known| known.get(&device).cloned());
    if let Some((at, credentials)) = kept
        && now().get() < at.get().saturating_add(RECHECK_DEVICE_MS)
    {
        return credentials;
    }
    match backend::registration(settings, &device, user).await {
        Registration::Theirs(credentials) => {
            keep(device, credentials.clone(), now());
            credentials
        }
        Registration::NotTheirs | Registration::Unavailable => Vec::new(),
    }
}

async fn judge(
    item: &Candidate,
    user: &WalletAddress,
    device: DeviceId,
    credentials: &[Credential],
    policy: &Policy,
) -> Verdict {
    let vau = item.submission(*user, device);
    let Some(attestation) = &vau.attestation else {
        return Verdict::None;
    };
    let of = |c: &&Credential| c.credential_id == attestation.credential_id;
    let Some(credential) = credentials.iter().find(of) else {
        return Verdict::None;
    };
    // The counter is compared where the latest one is kept: in the object.
    let credential = &Credential {
        sign_count: 0,
        ..credential.clone()
    };
    match attest::verify(attestation, credential, &vau.signed_fields(), policy).await {
        Judged::Verified { sign_count, .. } => Verdict::Verified {
            credential_id: credential.credential_id.clone(),
            sign_count,
        },
        Judged::Invalid(reason) => {
            log_error("an attestation does not hold", &reason.name());
            Verdict::Invalid
        }
        Judged::Unsupported => Verdict::None,
    }
}
