//! Every route with bodies that are none (F44) and with texts that mean something to SQL (F48).

use crate::support::{Api, Device, EDGE_SECRET, User, segment};
use domain::http_hmac::SignedRequest;
use serde_json::{Value, json};
use service::clock;
use std::sync::atomic::{AtomicU64, Ordering};
use testkit::TestDb;
use testkit::hostile::{Caller, Operation, Walk};
use uuid::Uuid;

/// Somebody who may call every route: a user with a device, who also holds the secret of the edge.
pub(crate) struct Everyone {
    pub(crate) user: User,
    pub(crate) device: Device,
    pub(crate) secret: String,
    pub(crate) payload: String,
    next: AtomicU64,
}

impl Everyone {
    pub(crate) fn new(user: User, device: Device, secret: &str) -> Self {
        Self {
            user,
            device,
            secret: secret.to_owned(),
            payload: "{}".to_owned(),
            next: AtomicU64::new(0),
        }
    }
}

impl Caller for Everyone {
    async fn headers(
        &self,
        operation: &Operation,
        target: &str,
        body: &[u8],
    ) -> Vec<(String, String)> {
        match operation.policy.as_str() {
            "public" => Vec::new(),
            "service" => {
                let timestamp = clock::now_ms();
                let request = SignedRequest {
                    method: &operation.method,
                    path: target.split('?').next().unwrap(),
                    timestamp,
                    body,
                };
                let signature = request.sign(self.secret.as_bytes());
                [
                    ("x-key-id", "edge1".to_owned()),
                    ("x-timestamp", timestamp.to_string()),
                    ("x-hmac-signature", signature),
                ]
                .map(|(name, value)| (name.to_owned(), value))
                .into()
            }
            _ => vec![(
                "authorization".to_owned(),
                format!("Bearer {}", self.user.token),
            )],
        }
    }

    async fn body(&self, operation: &Operation) -> Option<Value> {
        match operation.id.as_str() {
            "registerDevice" => Some(self.device.registration(&self.user)),
            "deliverVauSegment" => {
                let n = self.next.fetch_add(1, Ordering::Relaxed);
                let item = self.device.accepted(&self.user, n, &self.payload);
                Some(segment(Uuid::new_v4(), &[json!(item)]))
            }
            _ => None,
        }
    }
}

async fn everyone(api: &Api) -> Everyone {
    let (user, device) = api.user_with_device().await;
    Everyone::new(user, device, EDGE_SECRET)
}

#[tokio::test(flavor = "multi_thread")]
async fn f44_a_body_that_is_no_good_json_is_refused_by_every_route_and_writes_nothing() {
    let api = Api::new().await;
    let everyone = everyone(&api).await;
    let owner = TestDb::connect_to(&api.owner_url()).await;
    let mut walk = Walk::of(&api.url, &owner).await;
    walk.malformed(&everyone).await;
    let sent = walk.finish();
    assert!(sent > 50, "only {sent} were sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn f48_no_text_in_any_string_of_any_route_means_anything_to_sql() {
    let api = Api::new().await;
    let everyone = everyone(&api).await;
    let owner = TestDb::connect_to(&api.owner_url()).await;
    let mut walk = Walk::of(&api.url, &owner).await;
    walk.injections(&everyone).await;
    let sent = walk.finish();
    assert!(sent > 200, "only {sent} were sent");
    api.assert_sound().await;
}
