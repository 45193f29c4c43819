//! A signed-in user with a device, who submits VAUs.

use crate::eventually;
use client::{Client, Device, Session, Wallet, now};
use contracts::Success;
use contracts::vau::{VauAccepted, VauSubmission};
use domain::{Amount, EpochMs, SiteId};
use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A user.
pub struct Walker {
    /// Calls the platform.
    pub client: Client,
    /// Signed in.
    pub session: Session,
    /// Registered.
    pub device: Device,
    last: AtomicU64,
}

/// What was accepted: VAU id to what it earns.
#[derive(Debug, Default, Clone)]
pub struct Tally(pub BTreeMap<String, Amount>);

impl Tally {
    /// All of it together, base units.
    pub fn sum(&self) -> u64 {
        self.0.values().map(|earned| earned.units()).sum()
    }
}

impl Walker {
    /// Signs a new wallet in and registers a new device.
    pub async fn new(client: Client) -> Arc<Self> {
        let (wallet, device) = (Wallet::generate().unwrap(), Device::generate().unwrap());
        let session = client.sign_in(&wallet).await.unwrap();
        client.register_device(&session, &device).await.unwrap();
        Arc::new(Self {
            client,
            session,
            device,
            last: AtomicU64::new(0),
        })
    }

    /// A VAU with a time of its own: two in one millisecond would be the same VAU.
    pub fn vau(&self) -> VauSubmission {
        let now = now().get();
        let time = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| {
                Some(now.max(last + 1))
            })
            .unwrap()
            .max(now - 1)
            + 1;
        self.last.fetch_max(time, Ordering::SeqCst);
        let site = SiteId::try_from("e2e").unwrap();
        let timestamp = EpochMs::new(time).unwrap();
        self.device.vau(self.session.wallet, &site, timestamp, "{}")
    }

    /// Submits one, from an address of its own so that no limit is met. `None` when it was not accepted,
    /// which a client may see as a problem or as a broken connection.
    pub async fn submit(&self) -> Option<VauAccepted> {
        let id = Uuid::new_v4().as_u128();
        let address = Ipv6Addr::from((0x2001_0db8_u128 << 96) | (id >> 32));
        let request = self
            .client
            .request(
                "POST".parse().unwrap(),
                &self.client.endpoints.edge,
                "/api/v1/vau",
            )
            .header("cf-connecting-ip", address.to_string())
            .json(&self.vau());
        let answer = self.client.send(self.session.sign(request)).await.ok()?;
        let accepted = answer.success::<Success<VauAccepted>>().ok()?;
        Some(accepted.data)
    }

    /// Submits until `count` are accepted, many at a time; `accepted` sees how many there are.
    pub async fn submit_many(self: &Arc<Self>, count: usize, accepted: Arc<Mutex<Tally>>) {
        let mut workers = Vec::new();
        for _ in 0..16 {
            let (walker, accepted) = (Arc::clone(self), Arc::clone(&accepted));
            workers.push(tokio::spawn(async move {
                while accepted.lock().unwrap().0.len() < count {
                    match walker.submit().await {
                        Some(vau) => {
                            let mut tally = accepted.lock().unwrap();
                            tally.0.insert(vau.vau_id.to_string(), vau.earned);
                        }
                        None => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                    }
                }
            }));
        }
        for worker in workers {
            worker.await.unwrap();
        }
    }

    /// Waits until the balance is the sum of what was accepted.
    pub async fn balance_becomes(&self, tally: &Tally) {
        eventually("the balance", || async {
            let balance = self.client.balance(&self.session).await;
            balance.is_ok_and(|balance| balance.available.units() == tally.sum())
        })
        .await;
    }
}
