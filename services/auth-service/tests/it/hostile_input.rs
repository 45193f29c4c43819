//! Every route with bodies that are none (F44) and with texts that mean something to SQL (F48).

use crate::world::{Wallet, World};
use serde_json::{Value, json};
use testkit::hostile::{Caller, Operation, Walk};

/// Somebody who may call every route.
pub(crate) struct Operator {
    url: String,
    http: reqwest::Client,
    /// Signs in over and over, so that the sessions of the operator are not the oldest ones that are ended.
    spare: Wallet,
    token: String,
}

impl Operator {
    /// Signs in at `url` with `wallet`. Its user has to be made an operator.
    pub(crate) async fn sign_in(url: &str, wallet: Wallet) -> Self {
        let mut operator = Self {
            url: url.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            spare: wallet,
            token: String::new(),
        };
        let session = operator.session().await;
        session["accessToken"]
            .as_str()
            .unwrap()
            .clone_into(&mut operator.token);
        operator.spare = Wallet::new(99);
        operator
    }

    /// The answer of a sign-in of somebody else.
    pub(crate) async fn session(&self) -> Value {
        let attempt = self.attempt().await;
        self.post("/auth/verify", &attempt).await
    }

    /// A good body for `/auth/verify`.
    pub(crate) async fn attempt(&self) -> Value {
        let wallet = json!({ "walletAddress": self.spare.address() });
        let nonce = self.post("/auth/nonce", &wallet).await;
        self.spare.attempt(nonce["message"].as_str().unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }
}

impl Caller for Operator {
    async fn headers(&self, operation: &Operation, _: &str, _: &[u8]) -> Vec<(String, String)> {
        match operation.policy.as_str() {
            "public" => Vec::new(),
            // Ends the session that it is called with.
            _ if operation.id.starts_with("logout") && operation.id != "logoutUser" => {
                let session = self.session().await;
                let token = session["accessToken"].as_str().unwrap();
                vec![("authorization".to_owned(), format!("Bearer {token}"))]
            }
            _ => vec![("authorization".to_owned(), format!("Bearer {}", self.token))],
        }
    }

    async fn body(&self, operation: &Operation) -> Option<Value> {
        let other = Wallet::new(77);
        match operation.id.as_str() {
            "createNonce" | "createLinkNonce" => Some(json!({ "walletAddress": other.address() })),
            "verifySignIn" => Some(self.attempt().await),
            "refreshSession" => {
                let token = self.session().await["refreshToken"].clone();
                Some(json!({ "refreshToken": token }))
            }
            "linkWallet" => {
                let mut body = self.attempt().await;
                body["currentSignature"] = body["signature"].clone();
                Some(body)
            }
            _ => None,
        }
    }
}

pub(crate) const MAKE_OPERATORS: &str = "UPDATE users SET roles = '{operator}'";

async fn operator(world: &World) -> Operator {
    let url = format!("http://{}", world.service.running.public);
    let operator = Operator::sign_in(&url, Wallet::new(70)).await;
    let owner = world.db.connect_as_owner().await;
    sea_orm::ConnectionTrait::execute_unprepared(&owner, MAKE_OPERATORS)
        .await
        .unwrap();
    operator
}

#[tokio::test(flavor = "multi_thread")]
async fn f44_a_body_that_is_no_good_json_is_refused_by_every_route_and_writes_nothing() {
    let world = World::start().await;
    let (operator, owner) = (operator(&world).await, world.db.connect_as_owner().await);
    let mut walk = Walk::of(&operator.url, &owner).await;
    walk.malformed(&operator).await;
    let sent = walk.finish();
    assert!(sent > 100, "only {sent} were sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn f48_no_text_in_any_string_of_any_route_means_anything_to_sql() {
    let world = World::start().await;
    let (operator, owner) = (operator(&world).await, world.db.connect_as_owner().await);
    let mut walk = Walk::of(&operator.url, &owner).await;
    walk.injections(&operator).await;
    let sent = walk.finish();
    assert!(sent > 200, "only {sent} were sent");
}
