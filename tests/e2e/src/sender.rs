//! A device that hands VAUs in by the batch, and sends a batch again until it knows what became of each VAU in it.

use client::{Answer, Client, Device, Session, now};
use contracts::vau::{BatchAccepted, BatchItem, BatchItemStatus, VauSubmission};
use contracts::{Code, Success};
use domain::vau::batch_canonical;
use domain::{Amount, EpochMs, Fingerprint, SiteId, VauId};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Longer than anything is ever down.
const PATIENCE: Duration = Duration::from_mins(3);
/// Between two tries, as a client waits.
const PAUSE: Duration = Duration::from_millis(250);
/// VAUs are made up to this long ago: as if the device had been offline.
const OFFLINE_MS: u64 = 200_000;
/// Requests that an address makes; its limit of a minute is 10 batches.
const PER_ADDRESS: u32 = 5;

/// Client addresses, each for a few requests.
#[derive(Debug, Default)]
pub struct Addresses(AtomicU32);

impl Addresses {
    fn next(&self) -> Ipv4Addr {
        let place = self.0.fetch_add(1, Ordering::Relaxed) / PER_ADDRESS;
        Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + place)
    }

    /// How many there were.
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed).div_ceil(PER_ADDRESS)
    }
}

/// What a device was told of its VAUs.
#[derive(Debug, Default, Clone)]
pub struct Told {
    /// Accepted: what each earns.
    pub accepted: BTreeMap<VauId, Amount>,
    /// Refused because the device's day was full.
    pub beyond: BTreeSet<VauId>,
    /// Batches that had to be sent again.
    pub again: u64,
    /// VAUs that had been accepted by a try whose answer did not arrive.
    pub accepted_unheard: u64,
}

impl Told {
    /// What it earns together, base units.
    pub fn earned(&self) -> u64 {
        self.accepted.values().map(|earned| earned.units()).sum()
    }
}

/// A device, and whose it is.
#[derive(Debug)]
pub struct Sender {
    client: Client,
    /// Signed in.
    pub session: Session,
    /// Registered.
    pub device: Device,
    latest: u64,
    /// What it was told.
    pub told: Told,
}

impl Sender {
    /// A new device of the session's wallet.
    pub async fn new(client: Client, session: Session) -> Self {
        let device = Device::generate().unwrap();
        client.register_device(&session, &device).await.unwrap();
        Self {
            client,
            session,
            device,
            latest: 0,
            told: Told::default(),
        }
    }

    /// Hands `size` new VAUs in.
    pub async fn hand_in(&mut self, size: usize, addresses: &Addresses) {
        let vaus: Vec<_> = (0..size).map(|place| self.vau(place)).collect();
        let since = Instant::now();
        let mut first = true;
        while let Some(why) = self.try_once(&vaus, addresses, first).await {
            assert!(since.elapsed() < PATIENCE, "never answered: {why}");
            self.told.again += 1;
            first = false;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A VAU with a time of its own: two in one millisecond would be the same VAU.
    fn vau(&mut self, place: usize) -> VauSubmission {
        self.latest = (self.latest + 1).max(now().get() - OFFLINE_MS);
        VauSubmission {
            user_id: self.session.wallet,
            device_id: self.device.id(),
            site_id: SiteId::try_from("soak").unwrap(),
            timestamp: EpochMs::new(self.latest).unwrap(),
            payload: format!("{{\"kind\":\"view\",\"seconds\":30,\"place\":{place}}}"),
            signature: String::new(),
            attestation: None,
        }
    }

    /// Sends the batch; why it has to be sent again, if it has to.
    async fn try_once(
        &mut self,
        vaus: &[VauSubmission],
        addresses: &Addresses,
        first: bool,
    ) -> Option<String> {
        let request = self
            .client
            .request(
                "POST".parse().unwrap(),
                &self.client.endpoints.edge,
                "/api/v1/vau/batch",
            )
            .header("cf-connecting-ip", addresses.next().to_string())
            .json(&self.seal(vaus));
        match self.client.send_as(&self.session, request).await {
            Ok(answer) if answer.status == 202 => self.note(vaus, &answer, first),
            Ok(answer) if answer.status >= 500 || answer.status == 429 => {
                Some(format!("{} {:?}", answer.status, answer.problem()))
            }
            Ok(answer) => panic!("{} {:?}", answer.status, answer.problem()),
            Err(error) => Some(format!("{error:?}")),
        }
    }

    /// The batch under one signature, as of now.
    fn seal(&self, vaus: &[VauSubmission]) -> Value {
        let prints: Vec<Fingerprint> = vaus
            .iter()
            .map(|vau| vau.signed_fields().fingerprint())
            .collect();
        let (id, at) = (Uuid::new_v4().to_string(), now());
        let signature = self.device.sign(&batch_canonical(&id, at, &prints));
        let unsigned = |vau| {
            let mut vau = serde_json::to_value(vau).unwrap();
            vau.as_object_mut().unwrap().remove("signature");
            vau
        };
        json!({
            "batchId": id,
            "submittedAt": at,
            "vaus": vaus.iter().map(unsigned).collect::<Vec<_>>(),
            "signature": hex::encode(signature),
        })
    }

    /// Notes what became of each; why some of them have to be sent again, if they have to.
    fn note(&mut self, vaus: &[VauSubmission], answer: &Answer, first: bool) -> Option<String> {
        let told: Success<BatchAccepted> = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(told.data.items.len(), vaus.len());
        let mut again = None;
        for (vau, item) in vaus.iter().zip(told.data.items) {
            let id = vau.signed_fields().id();
            match (item.status, item.code) {
                (BatchItemStatus::Rejected, Some(Code::VauDeviceCap)) => {
                    self.told.beyond.insert(id);
                }
                (BatchItemStatus::Rejected, Some(Code::DependencyUnavailable)) => {
                    again = item.detail;
                }
                (BatchItemStatus::Rejected, code) => panic!("{code:?}: {:?}", item.detail),
                (status, _) => self.note_accepted(id, &item, status, first),
            }
        }
        again
    }

    fn note_accepted(&mut self, id: VauId, item: &BatchItem, status: BatchItemStatus, first: bool) {
        let receipt = item.receipt.as_ref().unwrap();
        assert_eq!(receipt.vau_id, id);
        let heard = self.told.accepted.insert(id, receipt.earned);
        if status == BatchItemStatus::Duplicate {
            assert!(!first, "a VAU was a duplicate when it was first sent");
            assert!(heard.is_none_or(|earned| earned == receipt.earned));
            self.told.accepted_unheard += u64::from(heard.is_none());
        } else {
            assert_eq!(heard, None, "a VAU was accepted twice");
        }
    }
}
