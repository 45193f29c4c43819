//! The way in, and that it opens once.

use crate::world::{ISSUER, Service, Wallet, World, code};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::siws::SignInMessage;
use serde_json::{Value, json};
use service::auth::{TokenConfig, TokenVerifier};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_wallet_signs_in_and_other_services_believe_its_token() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let nonce = world.service.nonce(&wallet).await;
    assert_eq!(nonce.wallet_address, wallet.address());
    assert_eq!(nonce.nonce.len(), 22);
    assert_eq!(nonce.ttl_seconds, 300);
    let message = SignInMessage::parse(&nonce.message).unwrap();
    assert_eq!(message.domain, "app.test.example");
    assert_eq!(message.nonce, nonce.nonce);
    assert_eq!(message.expiration_time, nonce.sign_in_input.expiration_time);
    assert_eq!(message.request_id, nonce.sign_in_input.request_id);

    let token = world.service.sign_in(&wallet).await;
    assert_eq!(
        (token.token_type.as_str(), token.expires_in),
        ("Bearer", 900)
    );
    let verifier = TokenVerifier::new(TokenConfig::new(
        ISSUER.to_owned(),
        format!(
            "http://{}/.well-known/jwks.json",
            world.service.running.public
        ),
    ))
    .unwrap();
    let believed = verifier.verify(&token.access_token).await.unwrap();
    let principal = believed.principal;
    assert_eq!(principal.wallet, wallet.address());
    assert_eq!(principal.roles, ["user"]);
    assert_eq!(world.rows().await, [1, 1, 1]);
    let session = format!(
        "SELECT count(*) FROM sessions JOIN wallets USING (user_id) JOIN users ON users.id = user_id \
         WHERE sessions.id = '{}' AND user_id = '{}' AND wallet_address = '{}' AND revoked_at IS NULL \
         AND sessions.expires_at > now()",
        principal.session, principal.uid, principal.wallet
    );
    assert_eq!(world.number(&session).await, 1);
}

#[tokio::test]
async fn a_second_sign_in_is_the_same_user_in_another_session() {
    let world = World::start().await;
    for _ in 0..2 {
        world.service.sign_in(&Wallet::new(1)).await;
    }
    assert_eq!(world.rows().await, [1, 1, 2]);
    world.service.sign_in(&Wallet::new(2)).await;
    assert_eq!(world.rows().await, [2, 2, 3]);
}

#[tokio::test]
async fn base64_signatures_are_taken_too() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    for trim in [false, true] {
        let message = world.service.nonce(&wallet).await.message;
        let mut text = STANDARD.encode(wallet.sign(&message));
        if trim {
            text = text.trim_end_matches('=').to_owned();
        }
        let mut attempt = wallet.attempt(&message);
        attempt["signature"] = text.into();
        assert_eq!(world.service.verify(&attempt).await.status(), 200);
    }
}

/// As many rounds as `TWIST_REPLAY_ROUNDS` says.
#[tokio::test(flavor = "multi_thread")]
async fn f55_of_two_hundred_attempts_with_one_nonce_one_wins() {
    let rounds = std::env::var("TWIST_REPLAY_ROUNDS").map_or(3, |text| text.parse().unwrap());
    // A session for each round.
    let world = World::start_with(|config| config.sessions.max_per_user = 1_000).await;
    let wallet = Wallet::new(1);
    for round in 1..=rounds {
        let attempt = wallet.attempt(&world.service.nonce(&wallet).await.message);
        let outcomes = race(&world.service, vec![attempt; 200]).await;
        assert_eq!(
            outcomes,
            BTreeMap::from([("auth.nonce_used", 199), ("ok", 1)]),
            "round {round}"
        );
        assert_eq!(world.rows().await, [1, 1, round]);
    }
}

#[tokio::test]
async fn first_sign_ins_that_race_make_one_user() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let mut attempts = Vec::new();
    for _ in 0..32 {
        attempts.push(wallet.attempt(&world.service.nonce(&wallet).await.message));
    }
    let outcomes = race(&world.service, attempts).await;
    assert_eq!(outcomes, BTreeMap::from([("ok", 32)]));
    assert_eq!(world.rows().await, [1, 1, 32]);
}

async fn race(service: &Service, attempts: Vec<Value>) -> BTreeMap<&'static str, usize> {
    let url: Arc<str> = format!("http://{}/auth/verify", service.running.public).into();
    let mut running = JoinSet::new();
    for attempt in attempts {
        let (http, url) = (service.http.clone(), url.clone());
        running.spawn(async move {
            let response = http.post(&*url).json(&attempt).send().await.unwrap();
            if response.status() == 200 {
                "ok"
            } else {
                code(response).await
            }
        });
    }
    let mut outcomes = BTreeMap::new();
    for outcome in running.join_all().await {
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    outcomes
}

#[tokio::test]
async fn a_nonce_that_is_over_opens_nothing() {
    let world = World::start_with(|config| config.nonce_ttl_seconds = 1).await;
    let wallet = Wallet::new(1);
    let attempt = wallet.attempt(&world.service.nonce(&wallet).await.message);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert_eq!(
        code(world.service.verify(&attempt).await).await,
        "auth.nonce_used"
    );
    assert_eq!(world.rows().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_failed_attempt_uses_the_nonce_up() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let attempt = wallet.attempt(&world.service.nonce(&wallet).await.message);
    let mut forged = attempt.clone();
    forged["signature"] = bs58::encode(Wallet::new(2).sign("x")).into_string().into();
    let refused = world.service.verify(&forged).await;
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key("www-authenticate"));
    assert_eq!(code(refused).await, "auth.signature_invalid");
    assert_eq!(
        code(world.service.verify(&attempt).await).await,
        "auth.nonce_used"
    );
    assert_eq!(world.rows().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_message_that_was_altered_opens_nothing_even_when_signed_again() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let changes = [
        ("app.test.example wants", "evil.example wants"),
        ("URI: https://app.test.example", "URI: https://evil.example"),
        ("solana:devnet", "solana:mainnet"),
        ("Sign in to the test.", "Send me everything."),
    ];
    for (from, to) in changes {
        let message = world.service.nonce(&wallet).await.message;
        let altered = message.replace(from, to);
        assert_ne!(message, altered);
        let signed_again = world.service.verify(&wallet.attempt(&altered)).await;
        assert_eq!(code(signed_again).await, "auth.signature_invalid", "{to}");

        let message = world.service.nonce(&wallet).await.message;
        let mut old_signature = wallet.attempt(&message);
        old_signature["message"] = message.replace(from, to).into();
        assert_eq!(
            code(world.service.verify(&old_signature).await).await,
            "auth.signature_invalid"
        );
    }
    assert_eq!(world.rows().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_nonce_cannot_be_used_by_another_wallet() {
    let world = World::start().await;
    let (owner, thief) = (Wallet::new(1), Wallet::new(2));
    let message = world.service.nonce(&owner).await.message;
    // Says it is the thief, about the owner's message.
    let mut claimed = thief.attempt(&message);
    assert_eq!(
        code(world.service.verify(&claimed).await).await,
        "validation.failed"
    );
    // Says it is the owner, with the thief's signature.
    claimed["walletAddress"] = json!(owner.address());
    assert_eq!(
        code(world.service.verify(&claimed).await).await,
        "auth.signature_invalid"
    );
    // Puts itself into the message.
    let message = world.service.nonce(&owner).await.message;
    let rewritten = message.replace(&owner.address().to_string(), &thief.address().to_string());
    let rewritten = thief.attempt(&rewritten);
    assert_eq!(
        code(world.service.verify(&rewritten).await).await,
        "auth.signature_invalid"
    );
    assert_eq!(world.rows().await, [0, 0, 0]);
}

#[tokio::test]
async fn asking_for_a_nonce_does_not_take_anothers_away() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let first = world.service.nonce(&wallet).await;
    let mut seen = HashSet::from([first.nonce.clone()]);
    for _ in 0..20 {
        assert!(
            seen.insert(world.service.nonce(&wallet).await.nonce),
            "a nonce came twice"
        );
    }
    let attempt = wallet.attempt(&first.message);
    assert_eq!(world.service.verify(&attempt).await.status(), 200);
}

#[tokio::test]
async fn a_wallet_whose_key_anyone_can_sign_for_does_not_get_in() {
    let world = World::start().await;
    // A point of small order, and the signature that lax verifiers accept for every message.
    let mut point = [0u8; 32];
    point[0] = 1;
    let address = domain::WalletAddress::from_bytes(point);
    let response = world
        .service
        .post("/auth/nonce", &json!({"walletAddress": address}))
        .await;
    let nonce: contracts::auth::NonceResponse = response.json().await.unwrap();
    let mut signature = [0u8; 64];
    signature[0] = 1;
    let attempt = json!({
        "walletAddress": address,
        "message": nonce.message,
        "signature": bs58::encode(signature).into_string(),
    });
    assert_eq!(
        code(world.service.verify(&attempt).await).await,
        "auth.signature_invalid"
    );
    assert_eq!(world.rows().await, [0, 0, 0]);
}
