//! A signed-in wallet and its tokens.

use contracts::auth::TokenResponse;
use domain::WalletAddress;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A token that lives shorter than this is renewed before it is used.
const RENEW_BEFORE: Duration = Duration::from_mins(1);

/// A signed-in wallet. Clones share the tokens, so that a renewal by one is everybody's. `Debug` shows no token.
#[derive(Debug, Clone)]
pub struct Session {
    /// The wallet.
    pub wallet: WalletAddress,
    tokens: Arc<Mutex<Tokens>>,
    /// Held while the tokens are renewed: of several callers, one asks.
    pub(crate) renewal: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Tokens {
    access: SecretString,
    refresh: SecretString,
    /// When the access token ends, by this machine's own counting.
    ends: Instant,
    /// How long before its end it is renewed.
    margin: Duration,
}

impl From<TokenResponse> for Tokens {
    fn from(tokens: TokenResponse) -> Self {
        let life = Duration::from_secs(tokens.expires_in);
        let now = Instant::now();
        Self {
            access: tokens.access_token.into(),
            refresh: tokens.refresh_token.into(),
            ends: now.checked_add(life).unwrap_or(now),
            // Tokens that live shorter than the margin would be renewed for every call.
            margin: RENEW_BEFORE.min(life / 2),
        }
    }
}

impl Session {
    /// The session that `wallet` was given `tokens` for.
    pub fn new(wallet: WalletAddress, tokens: TokenResponse) -> Self {
        Self {
            wallet,
            tokens: Arc::new(Mutex::new(tokens.into())),
            renewal: Arc::default(),
        }
    }

    /// The access token, as it is now.
    pub fn access_token(&self) -> SecretString {
        self.with(|tokens| tokens.access.clone())
    }

    /// The refresh token, as it is now. It works once.
    pub fn refresh_token(&self) -> SecretString {
        self.with(|tokens| tokens.refresh.clone())
    }

    /// Adds the access token, as it is now, to a request.
    pub fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.access_token().expose_secret())
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.with(|tokens| Instant::now() + tokens.margin >= tokens.ends)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.with(|tokens| Instant::now() >= tokens.ends)
    }

    pub(crate) fn renew(&self, tokens: TokenResponse) {
        self.with(|ours| *ours = tokens.into());
    }

    fn with<T>(&self, look: impl FnOnce(&mut Tokens) -> T) -> T {
        look(&mut self.tokens.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
