//! Linking a second wallet: both sign, and nobody gets somebody else's.

use crate::world::{Service, Wallet, World, code};
use contracts::auth::{MAX_WALLETS_PER_USER, NonceResponse, TokenResponse, WalletList};
use domain::WalletAddress;
use domain::siws::SignInMessage;
use reqwest::{Method, Response};
use serde_json::{Value, json};

async fn link_nonce(service: &Service, token: &TokenResponse, wallet: &Wallet) -> NonceResponse {
    let body = json!({"walletAddress": wallet.address()});
    let response = service
        .call_with("/auth/wallets/nonce", &token.access_token, &body)
        .await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// A good body for `POST /auth/wallets`.
fn proof(new: &Wallet, current: &Wallet, message: &str) -> Value {
    let mut body = new.attempt(message);
    body["currentSignature"] = bs58::encode(current.sign(message)).into_string().into();
    body
}

async fn link(service: &Service, token: &TokenResponse, body: &Value) -> Response {
    service
        .call_with("/auth/wallets", &token.access_token, body)
        .await
}

/// The whole way, as a client goes it.
async fn linked(
    service: &Service,
    token: &TokenResponse,
    new: &Wallet,
    current: &Wallet,
) -> Response {
    let message = link_nonce(service, token, new).await.message;
    link(service, token, &proof(new, current, &message)).await
}

async fn wallets(service: &Service, token: &TokenResponse) -> Vec<WalletAddress> {
    let response = service
        .call(Method::GET, "/auth/wallets", &token.access_token)
        .await;
    assert_eq!(response.status(), 200);
    let list: WalletList = response.json().await.unwrap();
    list.wallets.iter().map(|w| w.wallet_address).collect()
}

#[tokio::test]
async fn a_linked_wallet_signs_in_as_the_same_user() {
    let world = World::start().await;
    let (first, second) = (Wallet::new(1), Wallet::new(2));
    let token = world.service.sign_in(&first).await;
    assert_eq!(wallets(&world.service, &token).await, [first.address()]);

    let nonce = link_nonce(&world.service, &token, &second).await;
    let message = SignInMessage::parse(&nonce.message).unwrap();
    assert_eq!(message.address, second.address());
    for wallet in [&first, &second] {
        assert!(message.statement.contains(&wallet.address().to_string()));
    }
    let body = proof(&second, &first, &nonce.message);
    let response = link(&world.service, &token, &body).await;
    assert_eq!(response.status(), 200);
    let list: WalletList = response.json().await.unwrap();
    assert_eq!(list.wallets.len(), 2);

    let other = world.service.sign_in(&second).await;
    assert_eq!(world.rows().await, [1, 2, 2]);
    let both = [first.address(), second.address()];
    assert_eq!(wallets(&world.service, &other).await, both);
    // The nonce worked once; a new one for the same wallet changes nothing.
    assert_eq!(
        code(link(&world.service, &token, &body).await).await,
        "auth.nonce_used"
    );
    let again = linked(&world.service, &token, &second, &first).await;
    assert_eq!(again.status(), 200);
    assert_eq!(wallets(&world.service, &token).await, both);
}

#[tokio::test]
async fn nothing_is_linked_unless_both_wallets_sign_this_very_message() {
    let world = World::start().await;
    let (current, new, thief) = (Wallet::new(1), Wallet::new(2), Wallet::new(3));
    let token = world.service.sign_in(&current).await;
    for (signer, current_signer) in [
        (&thief, &current),
        (&new, &thief),
        (&new, &new),
        (&current, &current),
    ] {
        let message = link_nonce(&world.service, &token, &new).await.message;
        let mut body = proof(signer, current_signer, &message);
        body["walletAddress"] = json!(new.address());
        let refused = link(&world.service, &token, &body).await;
        assert_eq!(refused.status(), 401);
        assert_eq!(code(refused).await, "auth.signature_invalid");
        // That was the attempt.
        let late = link(&world.service, &token, &proof(&new, &current, &message)).await;
        assert_eq!(code(late).await, "auth.nonce_used");
    }
    let message = link_nonce(&world.service, &token, &new).await.message;
    let altered = message.replace("From then on", "Never will");
    assert_ne!(message, altered);
    let refused = link(&world.service, &token, &proof(&new, &current, &altered)).await;
    assert_eq!(code(refused).await, "auth.signature_invalid");
    assert_eq!(wallets(&world.service, &token).await, [current.address()]);
}

#[tokio::test]
async fn a_nonce_serves_its_purpose_and_its_user_alone() {
    let world = World::start().await;
    let (mine, new, theirs) = (Wallet::new(1), Wallet::new(2), Wallet::new(3));
    let token = world.service.sign_in(&mine).await;
    let other = world.service.sign_in(&theirs).await;

    // A message that links does not sign in, and is not used up by the try.
    let message = link_nonce(&world.service, &token, &new).await.message;
    let refused = world.service.verify(&new.attempt(&message)).await;
    assert_eq!(code(refused).await, "auth.nonce_used");
    // Nor does it link to another user.
    let stolen = link(&world.service, &other, &proof(&new, &theirs, &message)).await;
    assert_eq!(code(stolen).await, "auth.nonce_used");
    let good = link(&world.service, &token, &proof(&new, &mine, &message)).await;
    assert_eq!(good.status(), 200);

    // A message that signs in does not link.
    let fresh = Wallet::new(4);
    let message = world.service.nonce(&fresh).await.message;
    let refused = link(&world.service, &token, &proof(&fresh, &mine, &message)).await;
    assert_eq!(code(refused).await, "auth.nonce_used");
    let signed_in = world.service.verify(&fresh.attempt(&message)).await;
    assert_eq!(signed_in.status(), 200);
}

#[tokio::test]
async fn another_users_wallet_is_never_taken() {
    let world = World::start().await;
    let (mine, theirs) = (Wallet::new(1), Wallet::new(2));
    let token = world.service.sign_in(&mine).await;
    let other = world.service.sign_in(&theirs).await;
    let refused = linked(&world.service, &token, &theirs, &mine).await;
    assert_eq!(refused.status(), 409);
    assert_eq!(code(refused).await, "wallet.taken");
    assert_eq!(wallets(&world.service, &other).await, [theirs.address()]);
}

#[tokio::test]
async fn a_user_has_only_so_many_wallets_however_they_come() {
    let world = World::start().await;
    let first = Wallet::new(1);
    let token = world.service.sign_in(&first).await;
    let mut bodies = Vec::new();
    for number in 2..=14 {
        let new = Wallet::new(number);
        let message = link_nonce(&world.service, &token, &new).await.message;
        bodies.push(proof(&new, &first, &message));
    }
    let answers = bodies.iter().map(|body| link(&world.service, &token, body));
    let mut refused = 0;
    for answer in futures_join(answers).await {
        if answer.status() != 200 {
            assert_eq!(code(answer).await, "wallet.limit_reached");
            refused += 1;
        }
    }
    assert_eq!(refused, 14 - MAX_WALLETS_PER_USER);
    let count = wallets(&world.service, &token).await.len();
    assert_eq!(count, MAX_WALLETS_PER_USER as usize);
}

#[tokio::test]
async fn of_users_who_link_one_wallet_at_once_one_gets_it() {
    let world = World::start().await;
    for round in 0..4u8 {
        let wanted = Wallet::new(100 + round);
        let mut bodies = Vec::new();
        for number in 1..=6u8 {
            let wallet = Wallet::new(round * 10 + number);
            let token = world.service.sign_in(&wallet).await;
            let message = link_nonce(&world.service, &token, &wanted).await.message;
            bodies.push((token, proof(&wanted, &wallet, &message)));
        }
        // The wallet itself signs in for the first time, too.
        let attempt = wanted.attempt(&world.service.nonce(&wanted).await.message);
        let links = bodies
            .iter()
            .map(|(token, body)| link(&world.service, token, body));
        let (links, signed_in) = tokio::join!(futures_join(links), world.service.verify(&attempt));
        assert_eq!(signed_in.status(), 200);
        let mut won = 0;
        for answer in links {
            if answer.status() == 200 {
                won += 1;
            } else {
                assert_eq!(code(answer).await, "wallet.taken");
            }
        }
        assert!(won <= 1, "{won} users have one wallet");
        let owners = format!(
            "SELECT count(*) FROM wallets WHERE address = '{}'",
            wanted.address()
        );
        assert_eq!(world.number(&owners).await, 1);
        let orphans = "SELECT count(*) FROM users WHERE id NOT IN (SELECT user_id FROM wallets)";
        assert_eq!(world.number(orphans).await, 0);
    }
}

/// All of them at once.
async fn futures_join<F: Future<Output = Response>>(all: impl Iterator<Item = F>) -> Vec<Response> {
    let mut running: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<Response>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (future, slot) in running.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(response) => *slot = Some(response),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
