//! The authorisation table, walked.

use crate::world::{Wallet, World};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use conformance::access::{Callers, Who, table_page, walk};
use contracts::token::AccessClaims;
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use service::access::Role;
use service::auth::AccessTokenSigner;
use std::sync::atomic::{AtomicU8, Ordering};

struct Everyone<'a> {
    world: &'a World,
    signer: AccessTokenSigner,
    wallets: AtomicU8,
}

impl Callers for Everyone<'_> {
    async fn headers(&self, who: Who, _: &Method, _: &str, _: &str) -> Vec<(String, String)> {
        let header = |name: &str, value: String| (name.to_owned(), value);
        let token = match who {
            Who::Nobody => return Vec::new(),
            // No route of this service takes a shared secret, so nobody has one.
            Who::Service => {
                return vec![
                    header("x-key-id", "edge1".to_owned()),
                    header("x-timestamp", "1".to_owned()),
                    header("x-hmac-signature", "00".repeat(32)),
                ];
            }
            Who::Garbage => "a.b.c".to_owned(),
            _ => self.token(who).await,
        };
        vec![header("authorization", format!("Bearer {token}"))]
    }

    async fn path_of_another_tenant(&self, template: &str) -> String {
        let (_, claims) = self.signed_in().await;
        template
            .replace("{id}", &claims.sid.to_string())
            .replace("{uid}", &claims.uid.to_string())
    }
}

impl Everyone<'_> {
    /// Somebody new each time.
    async fn signed_in(&self) -> (String, AccessClaims) {
        let number = self.wallets.fetch_add(1, Ordering::Relaxed);
        let token = self.world.service.sign_in(&Wallet::new(number)).await;
        let claims = claims(&token.access_token);
        (token.access_token, claims)
    }

    async fn token(&self, who: Who) -> String {
        let (token, mut claims) = self.signed_in().await;
        let sql = match who {
            Who::Ended => format!(
                "UPDATE sessions SET revoked_at = now() WHERE id = '{}'",
                claims.sid
            ),
            Who::With(role) => format!(
                "UPDATE users SET roles = '{{{}}}' WHERE id = '{}'",
                role.as_str(),
                claims.uid
            ),
            // A wallet may come again with the number of one that had a role.
            _ => format!(
                "UPDATE users SET roles = '{{user}}' WHERE id = '{}'",
                claims.uid
            ),
        };
        self.world.database.execute_unprepared(&sql).await.unwrap();
        match who {
            Who::Ended => {
                let service = &self.world.service;
                let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(2);
                while service
                    .call(Method::GET, "/auth/sessions", &token)
                    .await
                    .status()
                    == 200
                {
                    assert!(tokio::time::Instant::now() < deadline, "still admitted");
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                token
            }
            Who::Expired => {
                claims.iat -= 5_000;
                claims.nbf -= 5_000;
                claims.exp = claims.iat + 900;
                self.signer.sign(&claims).unwrap()
            }
            // The key's name is that of ours, the key is not.
            Who::OtherIssuer => {
                "https://auth.staging.example".clone_into(&mut claims.iss);
                let signer = AccessTokenSigner::new(self.signer.kid(), &[7; 32]);
                signer.sign(&claims).unwrap()
            }
            Who::Pretender => {
                claims.roles = [Role::Influencer, Role::Operator, Role::Admin]
                    .map(|role| role.as_str().to_owned())
                    .into();
                self.signer.sign(&claims).unwrap()
            }
            _ => token,
        }
    }
}

fn claims(token: &str) -> AccessClaims {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Signs as the service does: with the sealing key of the tests' configuration its own key opens.
async fn signer(world: &World) -> AccessTokenSigner {
    let statement = Statement::from_string(
        DbBackend::Postgres,
        "SELECT kid, sealed_private_key FROM signing_keys WHERE state = 'active'",
    );
    let row = world
        .database
        .query_one_raw(statement)
        .await
        .unwrap()
        .unwrap();
    let kid: String = row.try_get("", "kid").unwrap();
    let sealed: Vec<u8> = row.try_get("", "sealed_private_key").unwrap();
    let nonce: [u8; 24] = sealed[..24].try_into().unwrap();
    let seed = XChaCha20Poly1305::new(&Key::from([0xab; 32]))
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: &sealed[24..],
                aad: kid.as_bytes(),
            },
        )
        .unwrap();
    AccessTokenSigner::new(kid, &seed.try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_further_than_the_table_says() {
    let world = World::start().await;
    let everyone = Everyone {
        signer: signer(&world).await,
        wallets: AtomicU8::new(1),
        world: &world,
    };
    let base = format!("http://{}", world.service.running.public);
    let rules = &world.service.rules;
    let (calls, breaches) = walk(&base, rules, &everyone).await;
    assert_eq!(calls, rules.len() * Who::ALL.len());
    let told: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[tokio::test]
async fn the_published_table_is_the_one_that_is_enforced() {
    let world = World::start().await;
    table_page("auth-service", &world.service.rules);
}

#[tokio::test]
async fn every_documented_operation_has_a_rule_and_says_which() {
    let world = World::start().await;
    let document = world
        .service
        .get("/openapi.json")
        .await
        .json()
        .await
        .unwrap();
    conformance::access::assert_documented(&world.service.rules, &document);
}
