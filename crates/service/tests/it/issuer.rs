//! An issuer of tokens that a test controls.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::auth::{Jwk, Jwks};
use contracts::token::{AUDIENCE, AccessClaims, VERSION};
use domain::WalletAddress;
use ed25519_dalek::{Signer as _, SigningKey};
use service::auth::{AccessTokenSigner, JwksPolicy, TokenConfig, TokenVerifier};
use service::clock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

#[derive(Default)]
pub(crate) struct Endpoint {
    pub(crate) keys: Mutex<Vec<Jwk>>,
    pub(crate) down: AtomicBool,
    pub(crate) fetches: AtomicUsize,
}

pub(crate) struct Issuer {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) url: String,
    pub(crate) key: SigningKey,
}

pub(crate) const KID: &str = "key-1";
pub(crate) const ISSUER: &str = "https://auth.example";

impl Issuer {
    pub(crate) async fn start() -> Self {
        let key = SigningKey::from_bytes(&[42; 32]);
        let endpoint = Arc::new(Endpoint::default());
        endpoint.keys.lock().unwrap().push(jwk(KID, &key));
        let served = endpoint.clone();
        let router = Router::new().route("/jwks", get(async move || answer(&served)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint, url, key }
    }

    pub(crate) fn verifier(&self, policy: JwksPolicy) -> TokenVerifier {
        let config = TokenConfig::new(ISSUER.to_owned(), self.url.clone());
        TokenVerifier::with_policy(config, policy).unwrap()
    }

    pub(crate) fn fetches(&self) -> usize {
        self.endpoint.fetches.load(Ordering::SeqCst)
    }

    pub(crate) fn token(&self, claims: &AccessClaims) -> String {
        AccessTokenSigner::new(KID, &self.key.to_bytes())
            .sign(claims)
            .unwrap()
    }

    /// A token with any header and claims, signed with the issuer's key.
    pub(crate) fn raw(&self, header: &str, claims: &str) -> String {
        let text = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn answer(endpoint: &Endpoint) -> Response {
    endpoint.fetches.fetch_add(1, Ordering::SeqCst);
    if endpoint.down.load(Ordering::SeqCst) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let keys = endpoint.keys.lock().unwrap().clone();
    axum::Json(Jwks { keys }).into_response()
}

pub(crate) fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(crate) fn jwk(kid: &str, key: &SigningKey) -> Jwk {
    Jwk {
        kty: "OKP".into(),
        crv: "Ed25519".into(),
        x: URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()),
        kid: kid.into(),
        use_: "sig".into(),
        alg: "EdDSA".into(),
    }
}

pub(crate) fn claims() -> AccessClaims {
    let wallet = WalletAddress::from_bytes([1; 32]);
    let now = clock::now_seconds();
    AccessClaims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: wallet,
        wallet_address: wallet,
        uid: Uuid::from_u128(1),
        sid: Uuid::from_u128(2),
        jti: Uuid::now_v7(),
        iat: now,
        nbf: now,
        exp: now + 900,
        ver: VERSION,
        roles: vec!["user".into()],
        influencer_id: None,
    }
}
