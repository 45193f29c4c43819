//! Fear: a device gets an authenticator that its user never touched, or the edge is told of another's.

use crate::support::{Api, Device, User, problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::EpochMs;
use domain::bytes::sha256;
use domain::device::credential_challenge;
use reqwest::Method;
use serde_json::{Value, json};
use service::clock;

pub(crate) const RP_ID: &str = "app.test.example";
pub(crate) const ORIGIN: &str = "https://app.test.example";

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An Ed25519 key in COSE.
fn key(x: u8) -> Vec<u8> {
    [&b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"[..], &[x; 32]].concat()
}

/// What an authenticator and a browser make for `challenge`.
struct Made {
    client_data: Value,
    flags: u8,
    id: Vec<u8>,
    key: Vec<u8>,
    rp_id: &'static str,
    format: &'static str,
    issued_at: EpochMs,
}

impl Made {
    fn by(user: &User, device: &Device) -> Self {
        let issued_at = clock::now_ms();
        Self::at(user, device, issued_at)
    }

    fn at(user: &User, device: &Device, issued_at: EpochMs) -> Self {
        let challenge = credential_challenge(&user.wallet, &device.id(), issued_at);
        Self {
            client_data: json!({
                "type": "webauthn.create", "challenge": b64(challenge), "origin": ORIGIN, "crossOrigin": false,
            }),
            flags: 0x45,
            id: device.id().as_bytes().to_vec(),
            key: key(7),
            rp_id: RP_ID,
            format: "none",
            issued_at,
        }
    }

    fn body(&self) -> Value {
        let id_length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let data = [
            &sha256(self.rp_id.as_bytes())[..],
            &[self.flags],
            &9_u32.to_be_bytes(),
            &[5; 16],
            &id_length,
            &self.id,
            &self.key,
        ]
        .concat();
        let format = self.format.as_bytes();
        let object = [
            &b"\xa3\x63fmt"[..],
            &[0x60 + u8::try_from(format.len()).unwrap()],
            format,
            b"\x67attStmt\xa0\x68authData\x58",
            &[u8::try_from(data.len()).unwrap()],
            &data,
        ]
        .concat();
        json!({
            "issuedAt": self.issued_at,
            "clientDataJSON": b64(self.client_data.to_string()),
            "attestationObject": b64(object),
        })
    }
}

fn path(device: &Device) -> String {
    format!("/devices/{}/credentials", device.id())
}

async fn told(api: &Api, device: &Device) -> Value {
    let path = format!("/internal/v1/devices/{}", device.id());
    let answer = api.signed(Method::GET, &path, Vec::new()).await;
    answer.json().await.unwrap()
}

#[tokio::test]
async fn the_edge_is_told_of_a_registered_credential_and_nobody_else_is() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    assert_eq!(told(&api, &device).await.get("credentials"), None);
    let made = Made::by(&user, &device);
    let first = api.post(&path(&device), &user.token, &made.body()).await;
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();
    assert_eq!(first["credentialId"], b64(&made.id));
    assert_eq!(first["algorithm"], "EdDSA");
    assert_eq!(first["userVerified"], true);
    assert_eq!(first["aaguid"], "05050505-0505-0505-0505-050505050505");
    let again = Made::by(&user, &device).body();
    let again = api.post(&path(&device), &user.token, &again).await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    assert_eq!(
        told(&api, &device).await["credentials"],
        json!([{ "credentialId": b64(&made.id), "publicKey": b64(&made.key), "signCount": 9 }])
    );
    let list: Value = api.get("/devices", &user.token).await.json().await.unwrap();
    assert_eq!(list["devices"][0].get("credentials"), None);
}

#[tokio::test]
async fn what_was_not_made_for_this_device_now_and_here_is_refused() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let (other, others) = api.user_with_device().await;
    let now = clock::now_ms().get();
    let at = |ms| Made::at(&user, &device, EpochMs::new(ms).unwrap()).body();
    let with = |change: &dyn Fn(&mut Made)| {
        let mut made = Made::by(&user, &device);
        change(&mut made);
        made.body()
    };
    let field = |name: &str, value: Value| {
        let mut body = Made::by(&user, &device).body();
        body[name] = value;
        body
    };
    for body in [
        at(now - 301_000),
        at(now + 301_000),
        at(0),
        field("issuedAt", json!(now - 1)),
        Made::by(&other, &device).body(),
        Made::by(&user, &others).body(),
        with(&|made| made.client_data["type"] = json!("webauthn.get")),
        with(&|made| made.client_data["origin"] = json!("https://app.test.example.evil.example")),
        with(&|made| made.client_data["crossOrigin"] = json!(true)),
        with(&|made| made.rp_id = "test.example"),
        with(&|made| made.flags = 0x44),
        with(&|made| made.flags = 0x05),
        with(&|made| made.id = Vec::new()),
        with(&|made| made.key = b"\xa3\x01\x02\x03\x38\x22\x20\x02".to_vec()),
        with(&|made| made.key.truncate(20)),
        with(&|made| made.format = "a b"),
        field("clientDataJSON", json!("")),
        field("clientDataJSON", json!("not base64url!")),
        field("attestationObject", json!("")),
        field("attestationObject", json!("AA==")),
        field("attestationObject", json!("A".repeat(30_000))),
        field("attestationObject", json!(b64([0x81; 5_000]))),
    ] {
        let response = api.post(&path(&device), &user.token, &body).await;
        let code = problem(response, 400).await;
        assert_eq!(code, "credential.invalid", "{body}");
    }
    for body in [
        field("attestationObject", json!(1)),
        field("more", json!(1)),
        json!({}),
        json!([]),
    ] {
        let response = api.post(&path(&device), &user.token, &body).await;
        assert_eq!(response.status(), 400, "{body}");
    }
    assert_eq!(api.count("device_credentials").await, 0);
}

#[tokio::test]
async fn a_credential_cannot_be_put_on_another_ones_device_or_moved_to_an_own_one() {
    let api = Api::new().await;
    let (owner, device) = api.user_with_device().await;
    let (thief, own) = api.user_with_device().await;
    let body = Made::by(&thief, &device).body();
    let response = api.post(&path(&device), &thief.token, &body).await;
    assert_eq!(problem(response, 404).await, "not_found");
    let unknown = Device::new();
    let body = Made::by(&thief, &unknown).body();
    let response = api.post(&path(&unknown), &thief.token, &body).await;
    assert_eq!(problem(response, 404).await, "not_found");
    let made = Made::by(&owner, &device);
    let response = api.post(&path(&device), &owner.token, &made.body()).await;
    assert_eq!(response.status(), 201);
    let mut moved = Made::by(&thief, &own);
    moved.id.clone_from(&made.id);
    let response = api.post(&path(&own), &thief.token, &moved.body()).await;
    assert_eq!(problem(response, 409).await, "credential.taken");
    // Not even the owner can put another key in its place.
    let mut other_key = Made::by(&owner, &device);
    other_key.key = key(8);
    let response = api
        .post(&path(&device), &owner.token, &other_key.body())
        .await;
    assert_eq!(problem(response, 409).await, "credential.taken");
    let told = told(&api, &device).await;
    assert_eq!(told["credentials"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn ten_registrations_at_once_do_not_pass_the_limit_of_five() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let bodies = (0..10_u8).map(|n| {
        let mut made = Made::by(&user, &device);
        made.id = vec![n + 1; 16];
        made.body()
    });
    let tasks: Vec<_> = bodies
        .map(|body| {
            let url = format!("{}{}", api.url, path(&device));
            let request = api.http.post(url).bearer_auth(&user.token);
            tokio::spawn(request.json(&body).send())
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap().unwrap().status().as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[201; 5], [409; 5]].concat());
}

#[tokio::test]
async fn the_same_request_again_gets_the_first_answer_even_after_its_time() {
    let api = Api::new().await;
    let (user, device) = api.user_with_device().await;
    let body = Made::by(&user, &device).body();
    let send = async || {
        let url = format!("{}{}", api.url, path(&device));
        let request = api.http.post(url).bearer_auth(&user.token);
        let request = request.header("idempotency-key", "6f9619ff-8b86-d011-b42d-00cf4fc964ff");
        request.json(&body).send().await.unwrap()
    };
    let first = send().await;
    assert_eq!(first.status(), 201);
    let again = send().await;
    assert_eq!(again.status(), 201);
    assert_eq!(
        first.json::<Value>().await.unwrap(),
        again.json::<Value>().await.unwrap()
    );
}
