//! The authorisation table, walked.

use crate::support::{Api, EDGE_SECRET, User, token};
use conformance::access::{Callers, Who, assert_documented, table_page, walk};
use domain::http_hmac::SignedRequest;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use service::access::Role;
use service::auth::AccessTokenSigner;
use service::clock;
use uuid::Uuid;

struct Everyone<'a>(&'a Api);

impl Callers for Everyone<'_> {
    async fn headers(
        &self,
        who: Who,
        method: &Method,
        path: &str,
        body: &str,
    ) -> Vec<(String, String)> {
        let user = self.0.user().await;
        let token = match who {
            Who::Nobody => return Vec::new(),
            Who::Service => return signed(method, path, body),
            Who::Garbage => "a.b.c".to_owned(),
            Who::Expired => token(user.uid, user.wallet, |claims| {
                claims.iat -= 5_000;
                claims.nbf -= 5_000;
                claims.exp = claims.iat + 900;
            }),
            Who::OtherIssuer => of_staging(&user),
            Who::Ended => self.of_an_ended_session(&user).await,
            Who::User => user.token,
            Who::Pretender => token(user.uid, user.wallet, |claims| {
                claims.roles = ["influencer", "operator", "admin"]
                    .map(str::to_owned)
                    .into();
            }),
            Who::With(role) => self.with_role(user, role).await,
        };
        // Some routes want a key before they look for what the path names.
        let headers = [
            ("authorization", format!("Bearer {token}")),
            ("idempotency-key", Uuid::new_v4().to_string()),
        ];
        headers.map(|(name, value)| (name.to_owned(), value)).into()
    }

    async fn path_of_another_tenant(&self, template: &str) -> String {
        let (other, device) = self.0.user_with_device().await;
        template
            .replace("{deviceId}", &device.id().to_string())
            .replace("{vauId}", &"ab".repeat(16))
            .replace("{userId}", &other.wallet.to_string())
            .replace("{influencerId}", &Uuid::new_v4().to_string())
            .replace("{id}", &Uuid::new_v4().to_string())
    }
}

impl Everyone<'_> {
    async fn with_role(&self, user: User, role: Role) -> String {
        let sql = format!(
            "UPDATE users SET roles = '{{{}}}' WHERE id = '{}'",
            role.as_str(),
            user.uid
        );
        self.0.db.execute_unprepared(&sql).await.unwrap();
        user.token
    }

    /// Ended by auth-service, that is: in the database.
    async fn of_an_ended_session(&self, user: &User) -> String {
        let session = Uuid::new_v4();
        let token = token(user.uid, user.wallet, |claims| claims.sid = session);
        assert_eq!(self.0.get("/me", &token).await.status(), 200);
        self.0.end_session(user, session).await;
        self.0.until_refused("/me", &token).await;
        token
    }
}

/// All as in this environment, but for the issuer and its key; the key's name is even the same.
fn of_staging(user: &User) -> String {
    let mut claims = None;
    token(user.uid, user.wallet, |ours| {
        "https://auth.staging.example".clone_into(&mut ours.iss);
        claims = Some(ours.clone());
    });
    let signer = AccessTokenSigner::new("k1", &[7; 32]);
    signer.sign(&claims.unwrap()).unwrap()
}

fn signed(method: &Method, path: &str, body: &str) -> Vec<(String, String)> {
    let timestamp = clock::now_ms();
    let request = SignedRequest {
        method: method.as_str(),
        path,
        timestamp,
        body: body.as_bytes(),
    };
    let signature = request.sign(EDGE_SECRET.as_bytes());
    [
        ("x-key-id", "edge1".to_owned()),
        ("x-timestamp", timestamp.to_string()),
        ("x-hmac-signature", signature),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_further_than_the_table_says() {
    let api = Api::new().await;
    let (calls, breaches) = walk(&api.url, &api.rules, &Everyone(&api)).await;
    assert_eq!(calls, api.rules.len() * Who::ALL.len());
    let told: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[tokio::test]
async fn the_published_table_is_the_one_that_is_enforced() {
    table_page("influencer-api", &Api::new().await.rules);
}

#[tokio::test]
async fn every_documented_operation_has_a_rule_and_says_which() {
    let api = Api::new().await;
    let document = api.get("/openapi.json", "").await.json().await.unwrap();
    assert_documented(&api.rules, &document);
}

#[tokio::test]
async fn an_identity_in_a_body_is_refused_by_name() {
    let api = Api::new().await;
    let user = api.user().await;
    // `userId` and the others are not fields of this body: who calls is known from the token.
    for name in ["userId", "influencerId", "wallet", "walletAddress"] {
        let body = serde_json::json!({ name: user.wallet });
        let answer = api.post("/devices", &user.token, &body).await;
        assert_eq!(
            crate::support::problem(answer, 400).await,
            "request.identity_in_body"
        );
    }
    assert_eq!(api.count("devices").await, 0);
}
