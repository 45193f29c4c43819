//! Influencers who have earned something.

use crate::pool::{TWIST, good};
use crate::support::{Api, User};
use payouts::{LedgerAdapter, settle};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use uuid::Uuid;

/// An influencer with what can be paid out.
pub(crate) struct Payee {
    pub(crate) user: User,
    pub(crate) influencer: Uuid,
}

/// Of an earning of `units`, what the influencer gets: 80 %.
pub(crate) const fn earning_for(units: u64) -> u64 {
    units / 4 * 5
}

impl Api {
    /// Sets the terms of payouts.
    pub(crate) async fn terms(&self, changes: Value) -> Value {
        let admin = self.with("admin").await;
        let mut body = json!({ "reason": "a test" });
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let set = self
            .order(Method::PUT, "/admin/payout-policy", &admin, &body)
            .await;
        good(set, 200).await
    }

    /// An influencer with a pool that somebody has staked in.
    pub(crate) async fn influencer(&self, name: &str) -> Payee {
        let (operator, user) = (self.with("operator").await, self.user().await);
        let body = json!({ "userId": user.wallet, "username": name, "displayName": name });
        let made = self
            .order(Method::POST, "/admin/influencers", &operator, &body)
            .await;
        let made: Value = good(made, 201).await;
        let influencer = made["influencer"]["id"].as_str().unwrap().parse().unwrap();
        let staker = self.funded(10 * TWIST).await;
        good(self.stake(&staker, influencer, TWIST).await, 201).await;
        Payee { user, influencer }
    }

    /// An influencer who can be paid `units`, which are a multiple of 4; earnings are not held.
    pub(crate) async fn payee(&self, name: &str, units: u64) -> Payee {
        self.terms(json!({ "holdingSeconds": 0 })).await;
        let payee = self.influencer(name).await;
        self.earn(&payee, units).await;
        payee
    }

    /// Has the payee earn `units`, a multiple of 4.
    pub(crate) async fn earn(&self, payee: &Payee, units: u64) {
        let operator = self.with("operator").await;
        let given = self
            .deposit(&operator, payee.influencer, earning_for(units))
            .await;
        assert_eq!(good(given, 201).await["influencerShare"], units.to_string());
    }

    pub(crate) async fn ask(&self, payee: &Payee, units: u64) -> Response {
        let body = json!({ "amount": units.to_string(), "method": "ledger" });
        self.order(Method::POST, "/payouts/request", &payee.user, &body)
            .await
    }

    /// A payout that was asked for.
    pub(crate) async fn asked(&self, payee: &Payee, units: u64) -> Value {
        good(self.ask(payee, units).await, 201).await
    }

    /// `POST /payouts/{id}/{what}`.
    pub(crate) async fn decide(&self, who: &User, payout: &Value, what: &str) -> Response {
        let path = format!("/payouts/{}/{what}", payout["id"].as_str().unwrap());
        let body = match what {
            "reject" | "hold" => json!({ "reason": "looked into" }),
            _ => json!({}),
        };
        self.order(Method::POST, &path, who, &body).await
    }

    /// available, reserved, pending.
    pub(crate) async fn payable(&self, payee: &Payee) -> [u64; 3] {
        let body = self.read("/payouts/balance", &payee.user.token).await;
        ["available", "reserved", "pending"]
            .map(|name| body[name].as_str().unwrap().parse().unwrap())
    }

    /// Pays what is approved, as the worker does; how many.
    pub(crate) async fn sweep(&self) -> u32 {
        settle::run(&self.db, &LedgerAdapter, 1_000).await.unwrap()
    }
}
