//! A started application and a client for it.

use aide::axum::ApiRouter;
use contracts::Problem;
use reqwest::{Client, RequestBuilder, Response};
use service::config::Listen;
use service::health::ReadyCheck;
use service::server::{About, App, Running, ServerConfig, start};
use service::version::Revision;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn about() -> About {
    About {
        service: "test-service",
        description: "A test.",
        revision: Some(Revision::try_from(COMMIT).unwrap()),
    }
}

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) http: Client,
}

impl World {
    pub(crate) async fn start(public: ApiRouter, internal: ApiRouter) -> Self {
        Self::start_with(public, internal, vec![], |_| {}).await
    }

    pub(crate) async fn start_with(
        public: ApiRouter,
        internal: ApiRouter,
        checks: Vec<ReadyCheck>,
        change: impl FnOnce(&mut ServerConfig),
    ) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = ServerConfig::new(Listen {
            public: free,
            ops: free,
        });
        config.request_timeout = Duration::from_secs(2);
        change(&mut config);
        let app = App::new(about(), public, internal, checks);
        let running = start(app, config).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { running, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.public)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.running.ops);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }
}

/// The problem of an answer, after looking at what every problem has.
pub(crate) async fn problem(response: Response) -> Problem {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.success);
    assert_eq!(problem.error, problem.detail);
    assert_eq!(
        headers["x-request-id"].to_str().unwrap(),
        problem.request_id
    );
    problem
}

pub(crate) async fn code(request: RequestBuilder) -> &'static str {
    problem(request.send().await.unwrap()).await.code.as_str()
}
