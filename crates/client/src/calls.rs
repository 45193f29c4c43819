//! The calls.

use crate::{Answer, ClientError, Device, Retry, Session};
use contracts::Success;
use contracts::account::{Balance, Me, RewardPage};
use contracts::device::{Device as RegisteredDevice, DeviceList, RegisterDevice};
use contracts::vau::{VauAccepted, VauSubmission};
use reqwest::{Method, Request, RequestBuilder};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where the platform's parts answer: base URLs without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// auth-service.
    pub auth: String,
    /// influencer-api.
    pub api: String,
    /// The edge.
    pub edge: String,
}

impl Endpoints {
    /// The local stack on its usual ports.
    pub fn local() -> Self {
        Self {
            auth: "http://127.0.0.1:3001".into(),
            api: "http://127.0.0.1:3003".into(),
            edge: "http://127.0.0.1:8787".into(),
        }
    }
}

/// How Cloudflare tells the edge the caller's address.
const ADDRESS_HEADER: &str = "cf-connecting-ip";

/// Calls the platform. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Where it calls.
    pub endpoints: Endpoints,
    seen_from: Option<IpAddr>,
    retry: Retry,
}

impl Client {
    /// A client of the platform at `endpoints`.
    pub fn new(endpoints: Endpoints) -> Result<Self, ClientError> {
        Self::build(endpoints, None)
    }

    /// A client that calls from `address`, which must be one of this machine's: on Linux any of `127.0.0.0/8` is.
    pub fn calling_from(endpoints: Endpoints, address: IpAddr) -> Result<Self, ClientError> {
        Self::build(endpoints, Some(address))
    }

    fn build(endpoints: Endpoints, address: Option<IpAddr>) -> Result<Self, ClientError> {
        let all = [&endpoints.auth, &endpoints.api, &endpoints.edge];
        let mut builder = reqwest::Client::builder()
            .timeout(PATIENCE)
            .local_address(address)
            .user_agent(concat!("twist-client/", env!("CARGO_PKG_VERSION")));
        if all.iter().all(|url| url.starts_with("http://127.0.0.1")) {
            // The environment's proxy cannot reach this machine's loopback address.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|source| ClientError::Unreachable {
            url: endpoints.edge.clone(),
            source,
        })?;
        Ok(Self {
            http,
            endpoints,
            seen_from: None,
            retry: Retry::NEVER,
        })
    }

    /// The same, as if it called from `address`: only where there is no Cloudflare in front of the edge, which
    /// sets this header itself. Limits by address then do not mix what has nothing to do with each other.
    #[must_use]
    pub fn seen_from(mut self, address: IpAddr) -> Self {
        self.seen_from = Some(address);
        self
    }

    /// The same, trying calls again as `retry` says. Without it every call is made once, but for
    /// [`Self::refresh_with`], which has its own way.
    #[must_use]
    pub const fn retrying(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Registers `device` to the signed-in wallet, proving that its key is here.
    pub async fn register_device(
        &self,
        session: &Session,
        device: &Device,
    ) -> Result<RegisteredDevice, ClientError> {
        self.register(session, &device.registration(session.wallet, crate::now()))
            .await
    }

    /// `POST /devices`.
    pub async fn register(
        &self,
        session: &Session,
        body: &RegisterDevice,
    ) -> Result<RegisteredDevice, ClientError> {
        let request = self.post(&self.endpoints.api, "/devices");
        self.send_as(session, request.json(body)).await?.success()
    }

    /// `GET /devices`.
    pub async fn devices(&self, session: &Session) -> Result<DeviceList, ClientError> {
        self.read(session, "/devices").await
    }

    /// `POST /api/v1/vau`.
    pub async fn submit(
        &self,
        session: &Session,
        vau: &VauSubmission,
    ) -> Result<VauAccepted, ClientError> {
        let request = self.post(&self.endpoints.edge, "/api/v1/vau");
        let answer = self.send_as(session, request.json(vau)).await?;
        answer
            .success::<Success<VauAccepted>>()
            .map(|accepted| accepted.data)
    }

    /// `GET /me`.
    pub async fn me(&self, session: &Session) -> Result<Me, ClientError> {
        self.read(session, "/me").await
    }

    /// `GET /me/balance`.
    pub async fn balance(&self, session: &Session) -> Result<Balance, ClientError> {
        self.read(session, "/me/balance").await
    }

    /// `GET /me/rewards`: a page of at most `limit`, from `cursor` on.
    pub async fn rewards(
        &self,
        session: &Session,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<RewardPage, ClientError> {
        let mut request = self
            .get(&self.endpoints.api, "/me/rewards")
            .query(&[("limit", limit)]);
        if let Some(cursor) = cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        self.send_as(session, request).await?.success()
    }

    /// A request to `path` of `base`, to be made wrong by hand where that is wanted.
    pub fn request(&self, method: Method, base: &str, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{base}{path}"))
    }

    /// Sends a request as `session`, whose tokens are renewed first if they are about to end.
    pub async fn send_as(
        &self,
        session: &Session,
        request: RequestBuilder,
    ) -> Result<Answer, ClientError> {
        self.keep(session).await?;
        self.send(session.sign(request)).await
    }

    /// Sends a request and gives the answer as it came. Adds `X-Request-ID` if it has none.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let mut request = request.build().map_err(|source| ClientError::Unreachable {
            url: String::new(),
            source,
        })?;
        let headers = request.headers_mut();
        if !headers.contains_key("x-request-id")
            && let Ok(id) = Uuid::new_v4().to_string().parse()
        {
            headers.insert("x-request-id", id);
        }
        if !headers.contains_key(ADDRESS_HEADER)
            && let Some(address) = self.seen_from
            && let Ok(address) = address.to_string().parse()
        {
            headers.insert(ADDRESS_HEADER, address);
        }
        let mut made = 0u32;
        loop {
            // What cannot be copied, as a stream, is sent once.
            let Some(copy) = request.try_clone() else {
                return self.execute(request).await;
            };
            let result = self.execute(copy).await;
            made = made.saturating_add(1);
            match self.retry.pause(&request, made, &result) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return result,
            }
        }
    }

    async fn execute(&self, request: Request) -> Result<Answer, ClientError> {
        let url = request.url().to_string();
        match self.http.execute(request).await {
            Ok(response) => Answer::read(url, response).await,
            Err(source) => Err(ClientError::Unreachable { url, source }),
        }
    }

    pub(crate) async fn read<T: for<'de> Deserialize<'de>>(
        &self,
        session: &Session,
        path: &str,
    ) -> Result<T, ClientError> {
        let request = self.get(&self.endpoints.api, path);
        self.send_as(session, request).await?.success()
    }

    fn get(&self, base: &str, path: &str) -> RequestBuilder {
        self.request(Method::GET, base, path)
    }

    fn post(&self, base: &str, path: &str) -> RequestBuilder {
        self.request(Method::POST, base, path)
    }
}
