//! Cloudflare's HTTP API, as far as the edge needs it.

mod answer;
mod error;
mod namespaces;
mod objects;
mod queues;
mod scripts;

pub use error::ApiError;
pub use objects::ObjectPage;
pub use queues::{Message, Queue};
pub use scripts::{Bound, Content, Deployment, Script, Share, Version};

use crate::ui;
use answer::Answer;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode, Url};
use std::fmt;
use std::time::Duration;

/// Where the API is when nothing else is said.
pub const DEFAULT_URL: &str = "https://api.cloudflare.com/client/v4";

/// From the first byte sent to the last one read; an upload is a few MB.
const WHOLE: Duration = Duration::from_mins(2);
/// The largest answer that is read: a script and its modules.
const MOST_BYTES: usize = 64 << 20;
/// The longest that is waited because Cloudflare asked for it.
const MOST_WAIT: Duration = Duration::from_mins(1);
/// How often one request is made.
const TRIES: u32 = 4;
/// Doubles with every try.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Something that must not be printed.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes the value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into().trim().to_owned())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// One account.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: Url,
    account: String,
    token: Token,
}

/// What is sent.
enum Body {
    None,
    Json(String),
    Multipart {
        content_type: String,
        bytes: Vec<u8>,
    },
}

/// Whether a request may be made again when nobody knows what became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

/// One request.
struct Call<'a> {
    /// The operation, as a verb with its object.
    what: String,
    method: Method,
    /// Below the account.
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    body: Body,
    again: Again,
}

impl<'a> Call<'a> {
    fn get(what: impl Into<String>, path: &'a [&'a str]) -> Self {
        Self {
            what: what.into(),
            method: Method::GET,
            path,
            query: &[],
            body: Body::None,
            again: Again::Yes,
        }
    }

    fn post(what: impl Into<String>, path: &'a [&'a str], body: Body) -> Self {
        Self {
            method: Method::POST,
            body,
            again: Again::No,
            ..Self::get(what, path)
        }
    }
}

impl Api {
    /// An account's API below `base`.
    pub fn new(base: &str, account: &str, token: Token) -> Result<Self, ApiError> {
        let usage = |why: String| Err(ApiError::Setup(why));
        let url = match Url::parse(base.trim_end_matches('/')) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() => url,
            _ => return usage(format!("{base:?} is no address of an API")),
        };
        let loopback = is_loopback(&url);
        if url.scheme() == "http" && !loopback {
            return usage(format!(
                "{base} is not encrypted, and the token would be sent there"
            ));
        }
        if account.is_empty() || !account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return usage("CLOUDFLARE_ACCOUNT_ID is not an account's id".to_owned());
        }
        if token.0.is_empty() || !token.0.bytes().all(|byte| byte.is_ascii_graphic()) {
            return usage(
                "CLOUDFLARE_API_TOKEN is empty or has characters in it that no token has"
                    .to_owned(),
            );
        }
        let mut builder = Client::builder().redirect(Policy::none()).timeout(WHOLE);
        if loopback {
            // A proxy's own machine is not this one.
            builder = builder.no_proxy();
        }
        let http = builder
            .build()
            .map_err(|error| ApiError::Setup(error.to_string()))?;
        Ok(Self {
            http,
            base: url,
            account: account.to_owned(),
            token,
        })
    }

    fn url(&self, call: &Call<'_>) -> Result<Url, ApiError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments
                .pop_if_empty()
                .extend(["accounts", self.account.as_str()])
                .extend(call.path);
        } else {
            return Err(ApiError::Setup(format!(
                "{} is no address of an API",
                self.base
            )));
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        Ok(url)
    }

    /// The answer, good or refused; waits where it is asked to.
    async fn send(&self, call: Call<'_>) -> Result<Answer, ApiError> {
        let url = self.url(&call)?;
        let mut tried = 1;
        loop {
            let outcome = self.once(&call, url.clone()).await;
            let wait = match &outcome {
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                    // Nothing was done, whatever the request was.
                    Some(answer.retry_after.unwrap_or(FIRST_WAIT * 5))
                }
                Ok(answer) if answer.status.is_server_error() && call.again == Again::Yes => {
                    Some(FIRST_WAIT * 2_u32.pow(tried))
                }
                Err(error) if error.is_passing() && call.again == Again::Yes => {
                    Some(FIRST_WAIT * 2_u32.pow(tried))
                }
                _ => None,
            };
            match wait.filter(|wait| tried < TRIES && *wait <= MOST_WAIT) {
                Some(wait) => {
                    if wait.as_secs() > 0 {
                        ui::note(&format!(
                            "cannot {} now: waiting {} s",
                            call.what,
                            wait.as_secs()
                        ));
                    }
                    tokio::time::sleep(wait).await;
                }
                None => return outcome,
            }
            tried += 1;
        }
    }

    async fn once(&self, call: &Call<'_>, url: Url) -> Result<Answer, ApiError> {
        let failed = |error: &reqwest::Error| ApiError::transport(&call.what, error);
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .bearer_auth(&self.token.0);
        request = match &call.body {
            Body::None => request,
            Body::Json(text) => request
                .header(CONTENT_TYPE, "application/json")
                .body(text.clone()),
            Body::Multipart {
                content_type,
                bytes,
            } => request
                .header(CONTENT_TYPE, content_type)
                .body(bytes.clone()),
        };
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let mut answer = Answer {
            what: call.what.clone(),
            status: response.status(),
            content_type: header(CONTENT_TYPE.as_str()).unwrap_or_default(),
            entrypoint: header("cf-entrypoint"),
            retry_after: header(RETRY_AFTER.as_str())
                .and_then(|text| text.trim().parse().ok())
                .map(Duration::from_secs),
            body: Vec::new(),
            secret: self.token.clone(),
        };
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            answer.body.extend_from_slice(&chunk);
            if answer.body.len() > MOST_BYTES {
                return Err(ApiError::TooLarge {
                    what: call.what.clone(),
                });
            }
        }
        Ok(answer)
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_neither_printed_nor_sent_in_the_open() {
        let token = || Token::new("very-secret\n");
        assert_eq!(format!("{:?}", token()), "Token(…)");
        let api = Api::new("http://127.0.0.1:1/client/v4", "0123abc", token()).unwrap();
        assert!(!format!("{api:?}").contains("very-secret"));
        for bad in [
            "http://api.example.org",
            "ftp://127.0.0.1/",
            "",
            "api.example.org",
        ] {
            let error = Api::new(bad, "0123abc", token()).unwrap_err();
            assert!(!error.to_string().contains("very-secret"), "{error}");
        }
        assert!(Api::new(DEFAULT_URL, "../zones", token()).is_err());
        assert!(Api::new(DEFAULT_URL, "0123abc", Token::new(" \n")).is_err());
    }

    #[test]
    fn a_name_cannot_lead_to_another_route() {
        let api = Api::new("https://h/client/v4/", "abc", Token::new("t")).unwrap();
        let url = |path: &[&str]| api.url(&Call::get("x", path)).unwrap().to_string();
        assert_eq!(
            url(&["r2", "buckets", "b", "objects", "a/b?c#d"]),
            "https://h/client/v4/accounts/abc/r2/buckets/b/objects/a%2Fb%3Fc%23d"
        );
    }
}
