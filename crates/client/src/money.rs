//! Calls that move money: staking and payouts. Each is sent with a key of its own, made from `cause`: the same cause sent
//! again has no second effect, whoever sends it and however often.

use crate::{Client, ClientError, Session};
use contracts::payout::{
    AutoPayout, Payout, PayoutBalance, PayoutHistory, PayoutMethod, PayoutPolicy, PayoutReason,
    RequestPayout, SetPayoutPolicy,
};
use contracts::staking::{
    ClaimReceipt, ClaimRewards, CreateInfluencer, DepositReceipt, DepositRewards,
    InfluencerWithPool, MoveStake, PoolDetails, PositiveAmount, StakeReceipt, UnstakeReceipt,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A decision about a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Let it be paid.
    Approve,
    /// Turn it down, for this reason.
    Reject(String),
    /// Keep it back, for this reason.
    Hold(String),
    /// Keep it back no longer.
    Release,
    /// Pay it now.
    Process,
    /// Call it off; for the payee.
    Cancel,
}

impl Decision {
    const fn word(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject(_) => "reject",
            Self::Hold(_) => "hold",
            Self::Release => "release",
            Self::Process => "process",
            Self::Cancel => "cancel",
        }
    }

    fn reason(&self) -> Option<PayoutReason> {
        match self {
            Self::Reject(reason) | Self::Hold(reason) => Some(PayoutReason {
                reason: reason.clone(),
            }),
            _ => None,
        }
    }
}

impl Client {
    /// `POST /admin/influencers`, as an operator.
    pub async fn create_influencer(
        &self,
        session: &Session,
        body: &CreateInfluencer,
        cause: Uuid,
    ) -> Result<InfluencerWithPool, ClientError> {
        self.once(session, "/admin/influencers", Some(body), cause)
            .await
    }

    /// `POST /staking/stake`.
    pub async fn stake(
        &self,
        session: &Session,
        influencer_id: Uuid,
        amount: PositiveAmount,
        cause: Uuid,
    ) -> Result<StakeReceipt, ClientError> {
        let body = MoveStake {
            influencer_id,
            amount,
        };
        self.once(session, "/staking/stake", Some(&body), cause)
            .await
    }

    /// `POST /staking/unstake`.
    pub async fn unstake(
        &self,
        session: &Session,
        influencer_id: Uuid,
        amount: PositiveAmount,
        cause: Uuid,
    ) -> Result<UnstakeReceipt, ClientError> {
        let body = MoveStake {
            influencer_id,
            amount,
        };
        self.once(session, "/staking/unstake", Some(&body), cause)
            .await
    }

    /// `POST /staking/claim`.
    pub async fn claim(
        &self,
        session: &Session,
        influencer_id: Uuid,
        cause: Uuid,
    ) -> Result<ClaimReceipt, ClientError> {
        let body = ClaimRewards { influencer_id };
        self.once(session, "/staking/claim", Some(&body), cause)
            .await
    }

    /// `POST /staking/pools/{influencerId}/deposits`, as an operator.
    pub async fn deposit(
        &self,
        session: &Session,
        influencer_id: Uuid,
        amount: PositiveAmount,
        cause: Uuid,
    ) -> Result<DepositReceipt, ClientError> {
        let path = format!("/staking/pools/{influencer_id}/deposits");
        self.once(session, &path, Some(&DepositRewards { amount }), cause)
            .await
    }

    /// `GET /staking/influencer/{influencerId}`.
    pub async fn pool(
        &self,
        session: &Session,
        influencer_id: Uuid,
    ) -> Result<PoolDetails, ClientError> {
        self.read(session, &format!("/staking/influencer/{influencer_id}"))
            .await
    }

    /// `POST /payouts/request`, by the ledger.
    pub async fn request_payout(
        &self,
        session: &Session,
        amount: PositiveAmount,
        cause: Uuid,
    ) -> Result<Payout, ClientError> {
        let body = RequestPayout {
            amount,
            method: PayoutMethod::Ledger,
            wallet_address: None,
        };
        self.once(session, "/payouts/request", Some(&body), cause)
            .await
    }

    /// `POST /payouts/{id}/…`.
    pub async fn decide_payout(
        &self,
        session: &Session,
        id: Uuid,
        decision: &Decision,
        cause: Uuid,
    ) -> Result<Payout, ClientError> {
        let path = format!("/payouts/{id}/{}", decision.word());
        self.once(session, &path, decision.reason().as_ref(), cause)
            .await
    }

    /// `GET /payouts/{id}`.
    pub async fn payout(&self, session: &Session, id: Uuid) -> Result<Payout, ClientError> {
        self.read(session, &format!("/payouts/{id}")).await
    }

    /// `GET /payouts/balance`.
    pub async fn payout_balance(&self, session: &Session) -> Result<PayoutBalance, ClientError> {
        self.read(session, "/payouts/balance").await
    }

    /// `GET /payouts/history`: the newest.
    pub async fn payouts(&self, session: &Session) -> Result<PayoutHistory, ClientError> {
        self.read(session, "/payouts/history").await
    }

    /// `PUT /payouts/auto`.
    pub async fn set_auto_payout(
        &self,
        session: &Session,
        body: &AutoPayout,
    ) -> Result<AutoPayout, ClientError> {
        let request = self.request(Method::PUT, &self.endpoints.api, "/payouts/auto");
        self.send_as(session, request.json(body)).await?.success()
    }

    /// `GET /admin/payout-policy`, as an operator.
    pub async fn payout_policy(&self, session: &Session) -> Result<PayoutPolicy, ClientError> {
        self.read(session, "/admin/payout-policy").await
    }

    /// `PUT /admin/payout-policy`, as an admin who is no influencer.
    pub async fn set_payout_policy(
        &self,
        session: &Session,
        body: &SetPayoutPolicy,
    ) -> Result<PayoutPolicy, ClientError> {
        let request = self.request(Method::PUT, &self.endpoints.api, "/admin/payout-policy");
        self.send_as(session, request.json(body)).await?.success()
    }

    async fn once<B: Serialize + Sync, T: for<'de> Deserialize<'de>>(
        &self,
        session: &Session,
        path: &str,
        body: Option<&B>,
        cause: Uuid,
    ) -> Result<T, ClientError> {
        let request = self.request(Method::POST, &self.endpoints.api, path);
        let request = request.header("idempotency-key", cause.to_string());
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.send_as(session, request).await?.success()
    }
}
