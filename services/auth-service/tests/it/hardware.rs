//! What a wallet may sign for a message: the text, or the off-chain message of a hardware wallet that says the same.

use crate::world::{Service, Wallet, World, code};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::auth::NonceResponse;
use domain::{WalletAddress, ed25519, offchain};
use ed25519_dalek::{Signer as _, SigningKey};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    seed_hex: String,
    address: WalletAddress,
    host: String,
    message: String,
    accepted: Vec<Case>,
    refused: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    signed_hex: String,
    signature: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../tests/vectors/sign-in-v1.json")).unwrap()
}

fn signature(case: &Case) -> [u8; 64] {
    let bytes = bs58::decode(&case.signature).into_vec().unwrap();
    bytes.try_into().unwrap()
}

#[test]
fn the_published_vectors_are_what_the_code_takes_and_refuses() {
    let vectors = vectors();
    let seed: [u8; 32] = hex::decode(&vectors.seed_hex).unwrap().try_into().unwrap();
    let key = SigningKey::from_bytes(&seed);
    assert_eq!(key.verifying_key().as_bytes(), vectors.address.as_bytes());
    let mut candidates = offchain::candidates(&vectors.message, &vectors.address, &vectors.host);
    candidates.push(vectors.message.clone().into_bytes());
    let holds = |case: &Case| {
        let signature = signature(case);
        candidates
            .iter()
            .any(|bytes| ed25519::verify(vectors.address.as_bytes(), bytes, &signature).is_ok())
    };
    assert_eq!(vectors.accepted.len(), candidates.len());
    for case in &vectors.accepted {
        let bytes = hex::decode(&case.signed_hex).unwrap();
        assert!(candidates.contains(&bytes), "{}", case.name);
        assert_eq!(
            key.sign(&bytes).to_bytes(),
            signature(case),
            "{}",
            case.name
        );
        assert!(holds(case), "{}", case.name);
    }
    for case in &vectors.refused {
        let bytes = hex::decode(&case.signed_hex).unwrap();
        // The signature is good, for bytes that nobody may sign.
        assert_eq!(
            key.sign(&bytes).to_bytes(),
            signature(case),
            "{}",
            case.name
        );
        assert!(!holds(case), "{}", case.name);
    }
}

async fn attempt(
    service: &Service,
    wallet: &Wallet,
    bytes: impl FnOnce(&str) -> Vec<u8>,
) -> reqwest::Response {
    let message = service.nonce(wallet).await.message;
    let mut attempt = wallet.attempt(&message);
    let signature = wallet.0.sign(&bytes(&message)).to_bytes();
    attempt["signature"] = bs58::encode(signature).into_string().into();
    service.verify(&attempt).await
}

#[tokio::test]
async fn a_hardware_wallet_signs_in_with_either_layout() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let count = offchain::candidates("a\nb", &wallet.address(), "app.test.example").len();
    assert_eq!(count, 6);
    for at in 0..count {
        let response = attempt(&world.service, &wallet, |message| {
            offchain::candidates(message, &wallet.address(), "app.test.example").swap_remove(at)
        })
        .await;
        assert_eq!(response.status(), 200, "candidate {at}");
    }
}

/// The bytes for a message, a wallet, an application domain and a format.
type Make = fn(&str, &WalletAddress, &[u8; 32], offchain::Format) -> Vec<u8>;

#[tokio::test]
async fn f57_a_wrapper_that_says_anything_else_opens_nothing() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let format = offchain::Format::Ascii;
    let none = [0; 32];
    let cases: [(&str, Make); 6] = [
        ("domain", |m, a, _, f| {
            offchain::wrap(m, f, &offchain::application_domain("evil.example"), a).unwrap()
        }),
        ("signer", |m, _, none, f| {
            offchain::wrap(m, f, none, &Wallet::new(2).address()).unwrap()
        }),
        ("version", |m, a, none, f| {
            let mut bytes = offchain::wrap(m, f, none, a).unwrap();
            bytes[16] = 1;
            bytes
        }),
        ("length", |m, a, none, f| {
            let mut bytes = offchain::wrap(m, f, none, a).unwrap();
            bytes[83] ^= 1;
            bytes
        }),
        ("count", |m, a, none, f| {
            let mut bytes = offchain::wrap(m, f, none, a).unwrap();
            bytes[50] = 2;
            bytes
        }),
        ("compact, version", |m, _, _, f| {
            let mut bytes = offchain::wrap_compact(m, f).unwrap();
            bytes[16] = 1;
            bytes
        }),
    ];
    for (what, make) in cases {
        let response = attempt(&world.service, &wallet, |message| {
            make(message, &wallet.address(), &none, format)
        })
        .await;
        assert_eq!(response.status(), 401, "{what}");
        assert_eq!(code(response).await, "auth.signature_invalid", "{what}");
    }
    assert_eq!(world.rows().await, [0, 0, 0]);
}

/// The bytes of the eight points of small order, and of those in a second, non-canonical, form.
const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[tokio::test]
async fn f56_a_key_of_small_order_signs_nobody_in() {
    let world = World::start().await;
    for text in SMALL_ORDER {
        let bytes: [u8; 32] = hex::decode(text).unwrap().try_into().unwrap();
        let address = WalletAddress::from_bytes(bytes);
        let body = json!({"walletAddress": address});
        // R of small order too and S = 0: what a lax verifier believes of any message, once in eight.
        for r in SMALL_ORDER {
            let nonce = world.service.post("/auth/nonce", &body).await;
            assert_eq!(nonce.status(), 200);
            let nonce: NonceResponse = nonce.json().await.unwrap();
            let mut signature = hex::decode(r).unwrap();
            signature.resize(64, 0);
            let attempt = json!({
                "walletAddress": address,
                "message": nonce.message,
                "signature": STANDARD.encode(&signature),
            });
            let refused = world.service.verify(&attempt).await;
            assert_eq!(refused.status(), 401, "{text} {r}");
            assert_eq!(code(refused).await, "auth.signature_invalid");
        }
    }
    assert_eq!(world.rows().await, [0, 0, 0]);
}

#[tokio::test]
async fn f56_a_signature_in_a_second_form_signs_nobody_in() {
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let message = world.service.nonce(&wallet).await.message;
    let mut signature = wallet.sign(&message);
    let mut carry = 0u16;
    for (byte, l) in signature[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(l) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    let mut attempt = wallet.attempt(&message);
    attempt["signature"] = bs58::encode(signature).into_string().into();
    let refused = world.service.verify(&attempt).await;
    assert_eq!(code(refused).await, "auth.signature_invalid");
    assert_eq!(world.rows().await, [0, 0, 0]);
}

#[tokio::test]
async fn the_message_of_the_first_system_is_taken_only_where_it_is_switched_on() {
    let off = World::start().await;
    let wallet = Wallet::new(1);
    let nonce = off.service.nonce(&wallet).await.nonce;
    let short = |nonce: &str| format!("TWIST Auth Nonce: {nonce}");
    let refused = off.service.verify(&wallet.attempt(&short(&nonce))).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(code(refused).await, "validation.failed");

    let on = World::start_with(|config| config.legacy_message = true).await;
    let nonce = on.service.nonce(&wallet).await.nonce;
    let attempt = wallet.attempt(&short(&nonce));
    assert_eq!(on.service.verify(&attempt).await.status(), 200);
    assert_eq!(
        code(on.service.verify(&attempt).await).await,
        "auth.nonce_used"
    );
    // Another wallet cannot use the nonce that this one was given.
    let nonce = on.service.nonce(&wallet).await.nonce;
    let thief = on
        .service
        .verify(&Wallet::new(2).attempt(&short(&nonce)))
        .await;
    assert_eq!(code(thief).await, "auth.signature_invalid");
    for bad in [
        "",
        "x",
        "0123456789ABCDEFGHIJKL",
        "0123456789ABCDEFGHIJKL\n",
    ] {
        let refused = on.service.verify(&wallet.attempt(&short(bad))).await;
        assert_eq!(code(refused).await, "auth.nonce_used", "{bad}");
    }
    // And the long one works beside it.
    on.service.sign_in(&wallet).await;
    assert_eq!(on.rows().await, [1, 1, 2]);
}
