//! People with money, and pools to put it into.

use crate::support::{Api, User};
use domain::Amount;
use ledger::account::{self, Account};
use ledger::posting::{self, Posting, TxKind};
use reqwest::{Method, Response, StatusCode};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use service::clock;
use uuid::Uuid;

pub(crate) const TWIST: u64 = 1_000_000_000;

impl Api {
    /// A user who has `units` available.
    pub(crate) async fn funded(&self, units: u64) -> User {
        let user = self.user().await;
        self.fund(&user, units).await;
        user
    }

    pub(crate) async fn fund(&self, user: &User, units: u64) {
        let accounts = (Account::ExternalWorld, Account::UserAvailable(user.uid));
        let posting = Posting::transfer(
            TxKind::OperatorDeposit,
            Uuid::new_v4().to_string(),
            clock::now_ms(),
            accounts,
            Amount::from_units(units).unwrap(),
        )
        .unwrap();
        account::open(&self.db, &[accounts.0, accounts.1])
            .await
            .unwrap();
        posting::post(&self.db, &[posting]).await.unwrap();
    }

    /// A user with `role`.
    pub(crate) async fn with(&self, role: &str) -> User {
        let user = self.user().await;
        let sql = format!(
            "UPDATE users SET roles = '{{{role}}}' WHERE id = '{}'",
            user.uid
        );
        self.db.execute_unprepared(&sql).await.unwrap();
        user
    }

    /// Sends `body` with a new key.
    pub(crate) async fn order(
        &self,
        method: Method,
        path: &str,
        user: &User,
        body: &Value,
    ) -> Response {
        let key = Uuid::new_v4().to_string();
        self.order_with(&key, method, path, user, body).await
    }

    pub(crate) async fn order_with(
        &self,
        key: &str,
        method: Method,
        path: &str,
        user: &User,
        body: &Value,
    ) -> Response {
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(&user.token)
            .header("idempotency-key", key)
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// A pool of a new influencer, made by an operator.
    pub(crate) async fn pool(&self, operator: &User, name: &str, terms: Value) -> Uuid {
        let owner = self.user().await;
        let body = json!({
            "userId": owner.wallet, "username": name, "displayName": name, "pool": terms,
        });
        let made = self
            .order(Method::POST, "/admin/influencers", operator, &body)
            .await;
        let made: Value = good(made, 201).await;
        made["influencer"]["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn stake(&self, user: &User, pool: Uuid, units: u64) -> Response {
        let body = json!({ "influencerId": pool, "amount": units.to_string() });
        self.order(Method::POST, "/staking/stake", user, &body)
            .await
    }

    pub(crate) async fn unstake(&self, user: &User, pool: Uuid, units: u64) -> Response {
        let body = json!({ "influencerId": pool, "amount": units.to_string() });
        self.order(Method::POST, "/staking/unstake", user, &body)
            .await
    }

    pub(crate) async fn claim(&self, user: &User, pool: Uuid) -> Response {
        let body = json!({ "influencerId": pool });
        self.order(Method::POST, "/staking/claim", user, &body)
            .await
    }

    pub(crate) async fn deposit(&self, operator: &User, pool: Uuid, units: u64) -> Response {
        let path = format!("/staking/pools/{pool}/deposits");
        let body = json!({ "amount": units.to_string() });
        self.order(Method::POST, &path, operator, &body).await
    }

    pub(crate) async fn read(&self, path: &str, token: &str) -> Value {
        good(self.get(path, token).await, 200).await
    }

    pub(crate) async fn stakes_of(&self, user: &User) -> Value {
        let path = format!("/staking/user/{}/stakes", user.wallet);
        self.read(&path, &user.token).await
    }
}

/// The body of an answer that must have this status.
pub(crate) async fn good(answer: Response, status: u16) -> Value {
    let is = answer.status();
    let body = answer.text().await.unwrap();
    assert_eq!(is, StatusCode::from_u16(status).unwrap(), "{body}");
    serde_json::from_str(&body).unwrap()
}
