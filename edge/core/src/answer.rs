//! The response's head and body, the same for successes and errors.

use crate::Refusal;
use crate::limit::Rate;
use contracts::problem::MEDIA_TYPE;
use contracts::{Code, Success};
use serde::Serialize;

/// A response before it becomes the runtime's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// JSON; absent for 204.
    pub body: Option<String>,
    /// The error's code, for the log.
    pub code: Option<Code>,
}

/// What every answer to one request carries.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// Names the request.
    pub request_id: String,
    /// The path, where it is one of ours.
    pub path: Option<&'static str>,
    /// The caller's origin, when its pages may call.
    pub origin: Option<String>,
    /// Where the caller stands.
    pub rate: Option<Rate>,
}

/// Tells clients that fewer, larger batches are wanted: the day's allowances run low.
pub const HINT_HEADER: &str = "x-batch-hint";

impl Answer {
    /// The same, with the wish for larger batches.
    #[must_use]
    pub fn asking_for_larger_batches(mut self) -> Self {
        self.headers.push((HINT_HEADER, "larger".to_owned()));
        self
    }
}

/// Request headers a page may send.
const CORS_REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, X-Challenge-Proof, \
     X-HMAC-Signature, X-Key-Id, X-Request-ID, X-Timestamp";
/// Response headers a page may read.
const CORS_RESPONSE_HEADERS: &str = "Retry-After, X-Batch-Hint, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID";

impl Exchange {
    /// 200 with `{success: true, data}`.
    pub fn success<T: Serialize>(&self, data: T) -> Answer {
        self.json(200, "application/json", &Success::of(data))
    }

    /// 202 with `{success: true, data}`: taken in, and worked on from here.
    pub fn accepted<T: Serialize>(&self, data: T) -> Answer {
        self.json(202, "application/json", &Success::of(data))
    }

    /// 200 with text.
    pub fn text(&self, media_type: &str, text: String) -> Answer {
        let mut headers = self.headers();
        headers.push(("content-type", media_type.to_owned()));
        Answer {
            status: 200,
            headers,
            body: Some(text),
            code: None,
        }
    }

    /// A bare JSON body.
    pub fn json<T: Serialize>(&self, status: u16, media_type: &str, value: &T) -> Answer {
        let mut headers = self.headers();
        headers.push(("content-type", media_type.to_owned()));
        Answer {
            status,
            headers,
            // Our types have text keys and finite numbers only; writing them does not fail.
            body: Some(serde_json::to_string(value).unwrap_or_default()),
            code: None,
        }
    }

    /// An error body.
    pub fn refusal(&self, refusal: Refusal) -> Answer {
        let code = refusal.code;
        let retry_after_ms = refusal.retry_after_ms;
        let problem = refusal.problem(&self.request_id, self.path);
        let mut answer = self.json(code.status(), MEDIA_TYPE, &problem);
        if let Some(wait) = retry_after_ms {
            let seconds = wait.div_ceil(1_000).max(1);
            answer.headers.push(("retry-after", seconds.to_string()));
        }
        if code.status() == 401 {
            answer
                .headers
                .push(("www-authenticate", "Bearer".to_owned()));
        }
        answer.code = Some(code);
        answer
    }

    /// 405 for a route that is there.
    pub fn method_not_allowed(&self, allow: &'static str) -> Answer {
        let mut answer = self.refusal(Refusal::new(
            Code::RequestMethodNotAllowed,
            "The route does not answer this method; `Allow` lists those it does.",
        ));
        answer.headers.push(("allow", allow.to_owned()));
        answer
    }

    /// 204 to a preflight.
    pub fn preflight(&self, allow: &'static str) -> Answer {
        let mut headers = self.headers();
        headers.push(("allow", allow.to_owned()));
        if self.origin.is_some() {
            headers.push(("access-control-allow-methods", allow.to_owned()));
            headers.push((
                "access-control-allow-headers",
                CORS_REQUEST_HEADERS.to_owned(),
            ));
            headers.push(("access-control-max-age", "86400".to_owned()));
        }
        Answer {
            status: 204,
            headers,
            body: None,
            code: None,
        }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("cache-control", "no-store".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
            ("x-frame-options", "DENY".to_owned()),
            (
                "strict-transport-security",
                "max-age=31536000; includeSubDomains".to_owned(),
            ),
            ("x-request-id", self.request_id.clone()),
            ("vary", "Origin".to_owned()),
        ];
        if let Some(rate) = self.rate {
            headers.push(("x-ratelimit-limit", rate.limit.to_string()));
            headers.push(("x-ratelimit-remaining", rate.remaining.to_string()));
            headers.push(("x-ratelimit-reset", rate.reset.to_string()));
        }
        if let Some(origin) = &self.origin {
            headers.push(("access-control-allow-origin", origin.clone()));
            headers.push((
                "access-control-expose-headers",
                CORS_RESPONSE_HEADERS.to_owned(),
            ));
        }
        headers
    }
}

/// The origin to allow: one of the list, exactly.
pub fn allowed_origin(origin: Option<&str>, allowed: &[String]) -> Option<String> {
    let origin = origin?;
    allowed.iter().find(|a| *a == origin).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange() -> Exchange {
        Exchange {
            request_id: "request-1".into(),
            path: Some("/api/v1/vau"),
            origin: None,
            rate: Some(Rate {
                limit: 100,
                remaining: 7,
                reset: 60_000,
            }),
        }
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer
            .headers
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.as_str())
    }

    #[test]
    fn an_error_carries_the_same_headers_as_a_success() {
        let success = exchange().success(1);
        let error = exchange().refusal(Refusal::unavailable("away"));
        for (name, value) in &success.headers {
            if *name != "content-type" {
                assert_eq!(header(&error, name), Some(value.as_str()), "{name}");
            }
        }
        assert_eq!(
            header(&error, "content-type"),
            Some("application/problem+json")
        );
        assert_eq!(header(&error, "retry-after"), Some("1"));
    }

    #[test]
    fn a_wait_below_a_second_is_not_told_as_none() {
        let limited = exchange().refusal(Refusal::new(Code::RateLimited, "wait").after(1));
        assert_eq!(
            (limited.status, header(&limited, "retry-after")),
            (429, Some("1"))
        );
    }

    #[test]
    fn only_a_listed_origin_is_let_in() {
        let allowed = ["https://app.example".to_owned()];
        assert_eq!(
            allowed_origin(Some("https://app.example"), &allowed),
            Some(allowed[0].clone())
        );
        for bad in [
            "https://app.example.evil",
            "null",
            "http://app.example",
            "*",
        ] {
            assert_eq!(allowed_origin(Some(bad), &allowed), None);
        }
        assert_eq!(
            header(
                &exchange().preflight("POST"),
                "access-control-allow-headers"
            ),
            None
        );
        let page = Exchange {
            origin: Some(allowed[0].clone()),
            ..exchange()
        };
        let headers = page.preflight("POST");
        for name in [
            "X-Timestamp",
            "X-HMAC-Signature",
            "X-Key-Id",
            "Idempotency-Key",
        ] {
            assert!(
                header(&headers, "access-control-allow-headers")
                    .unwrap()
                    .contains(name)
            );
        }
    }
}
