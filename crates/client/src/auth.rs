//! The calls of auth-service.

use crate::{Answer, Client, ClientError, Session, Wallet};
use contracts::auth::{
    Jwks, LinkWalletNonceRequest, LinkWalletRequest, NonceRequest, NonceResponse, RefreshRequest,
    SessionList, SessionsEnded, TokenResponse, VerifyRequest, WalletList,
};
use domain::WalletAddress;
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret as _;
use std::time::Duration;
use uuid::Uuid;

/// A refresh token that was used works for 30 s more, for those who did not get the answer. All of these attempts,
/// with the pauses between them, are over well before that.
const REFRESH_ATTEMPTS: u32 = 3;
const REFRESH_PATIENCE: Duration = Duration::from_secs(6);
const REFRESH_PAUSE: Duration = Duration::from_secs(2);

impl Client {
    /// Signs `wallet` in.
    pub async fn sign_in(&self, wallet: &Wallet) -> Result<Session, ClientError> {
        let nonce = self.nonce(wallet.address()).await?;
        let tokens = self.verify(&wallet.verify_request(&nonce.message)).await?;
        Ok(Session::new(wallet.address(), tokens))
    }

    /// `POST /auth/nonce`.
    pub async fn nonce(&self, wallet_address: WalletAddress) -> Result<NonceResponse, ClientError> {
        let request = self.auth(Method::POST, "/auth/nonce");
        let body = NonceRequest { wallet_address };
        self.send(request.json(&body)).await?.success()
    }

    /// `POST /auth/verify`.
    pub async fn verify(&self, body: &VerifyRequest) -> Result<TokenResponse, ClientError> {
        let request = self.auth(Method::POST, "/auth/verify");
        self.send(request.json(body)).await?.success()
    }

    /// `POST /auth/refresh` with any token. Without an answer, or when the platform cannot do it just now, it is sent
    /// again, up to two times: the token may have been used, and then presenting it later would end the session.
    pub async fn refresh_with(&self, refresh_token: &str) -> Result<TokenResponse, ClientError> {
        let body = RefreshRequest {
            refresh_token: refresh_token.to_owned(),
        };
        let mut made = 0u32;
        loop {
            let request = self.auth(Method::POST, "/auth/refresh").json(&body);
            let result = self.send(request.timeout(REFRESH_PATIENCE)).await;
            let result = result.and_then(Answer::success);
            made = made.saturating_add(1);
            match result.as_ref().err().and_then(before_next_refresh) {
                Some(pause) if made < REFRESH_ATTEMPTS => tokio::time::sleep(pause).await,
                _ => return result,
            }
        }
    }

    /// Renews the tokens of `session` now. Calls do so by themselves when the access token is about to end.
    pub async fn refresh(&self, session: &Session) -> Result<(), ClientError> {
        let _turn = session.renewal.lock().await;
        self.renew(session).await
    }

    /// `POST /auth/logout`: ends the session.
    pub async fn logout(&self, session: &Session) -> Result<(), ClientError> {
        let request = self.auth(Method::POST, "/auth/logout");
        self.send_as(session, request).await?.empty()
    }

    /// `POST /auth/logout-all`: ends every session of the user.
    pub async fn logout_all(&self, session: &Session) -> Result<SessionsEnded, ClientError> {
        let request = self.auth(Method::POST, "/auth/logout-all");
        self.send_as(session, request).await?.success()
    }

    /// `GET /auth/sessions`.
    pub async fn sessions(&self, session: &Session) -> Result<SessionList, ClientError> {
        let request = self.auth(Method::GET, "/auth/sessions");
        self.send_as(session, request).await?.success()
    }

    /// `DELETE /auth/sessions/{id}`.
    pub async fn end_session(&self, session: &Session, id: Uuid) -> Result<(), ClientError> {
        let request = self.auth(Method::DELETE, &format!("/auth/sessions/{id}"));
        self.send_as(session, request).await?.empty()
    }

    /// `GET /auth/wallets`.
    pub async fn wallets(&self, session: &Session) -> Result<WalletList, ClientError> {
        let request = self.auth(Method::GET, "/auth/wallets");
        self.send_as(session, request).await?.success()
    }

    /// Links `other` to the user of `session`, both wallets signing. `current` is the wallet that is signed in.
    pub async fn link_wallet(
        &self,
        session: &Session,
        current: &Wallet,
        other: &Wallet,
    ) -> Result<WalletList, ClientError> {
        let body = LinkWalletNonceRequest {
            wallet_address: other.address(),
        };
        let request = self.auth(Method::POST, "/auth/wallets/nonce").json(&body);
        let nonce: NonceResponse = self.send_as(session, request).await?.success()?;
        let VerifyRequest {
            wallet_address,
            message,
            signature,
            ..
        } = other.verify_request(&nonce.message);
        let body = LinkWalletRequest {
            wallet_address,
            current_signature: current.verify_request(&message).signature,
            message,
            signature,
        };
        let request = self.auth(Method::POST, "/auth/wallets").json(&body);
        self.send_as(session, request).await?.success()
    }

    /// `GET /.well-known/jwks.json`.
    pub async fn jwks(&self) -> Result<Jwks, ClientError> {
        let request = self.auth(Method::GET, "/.well-known/jwks.json");
        self.send(request).await?.success()
    }

    /// Renews the tokens of `session` if the access token is about to end. While it is still good, that the renewal
    /// cannot be had now is no reason not to use it.
    pub(crate) async fn keep(&self, session: &Session) -> Result<(), ClientError> {
        if !session.is_ending() {
            return Ok(());
        }
        let _turn = session.renewal.lock().await;
        // Somebody else may have done it in the meantime.
        if !session.is_ending() {
            return Ok(());
        }
        match self.renew(session).await {
            Err(error) if error.is_retryable() && !session.is_over() => Ok(()),
            other => other,
        }
    }

    async fn renew(&self, session: &Session) -> Result<(), ClientError> {
        let token = session.refresh_token();
        let tokens = self.refresh_with(token.expose_secret()).await?;
        session.renew(tokens);
        Ok(())
    }

    fn auth(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, &self.endpoints.auth, path)
    }
}

/// How long after `error` a refresh is sent again: at once, or as late as asked. `None` when it is not to be.
fn before_next_refresh(error: &ClientError) -> Option<Duration> {
    match error {
        // The other is of a gateway that got no answer either.
        ClientError::Unreachable { .. }
        | ClientError::NotOurs {
            status: 502..=504, ..
        } => Some(Duration::ZERO),
        ClientError::Refused(refusal)
            if refusal.problem.status == 503 && refusal.problem.retryable =>
        {
            let asked = refusal.retry_after.unwrap_or_default();
            (asked <= REFRESH_PAUSE).then_some(asked)
        }
        _ => None,
    }
}
