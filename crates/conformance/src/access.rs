//! Walks an authorisation table: every route, with every kind of caller, and what each must be answered.

use contracts::Code;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method};
use serde_json::Value;
use service::access::{Policy, Role, RouteRule};
use std::collections::BTreeSet;
use std::fmt;

/// A kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Sends nothing about itself.
    Nobody,
    /// Sends a token that nobody signed.
    Garbage,
    /// Sends a token of this issuer that was good once.
    Expired,
    /// Sends a token of another environment: other issuer, other key, all else alike.
    OtherIssuer,
    /// Sends a good token whose session was ended.
    Ended,
    /// A signed-in user without any role.
    User,
    /// A signed-in user whose token claims every role, and whose row in the database has none.
    Pretender,
    /// A signed-in user with the role, by the database.
    With(Role),
    /// A part of the platform: signs with the shared secret, has no token.
    Service,
}

impl Who {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Nobody,
        Self::Garbage,
        Self::Expired,
        Self::OtherIssuer,
        Self::Ended,
        Self::User,
        Self::Pretender,
        Self::With(Role::Influencer),
        Self::With(Role::Operator),
        Self::With(Role::Admin),
        Self::Service,
    ];
}

/// What the table promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not let in, with this code.
    Refused(Code),
    /// Let in: the handler's answer, whatever it is, neither 401 nor 403 nor a failure.
    Admitted,
}

/// What `who` must be answered under `policy`.
pub fn verdict(policy: Policy, who: Who) -> Verdict {
    use Verdict::{Admitted, Refused};
    match (policy, who) {
        (Policy::Public, _)
        | (Policy::Service, Who::Service)
        | (Policy::SelfOrAdmin, Who::With(Role::Admin)) => Admitted,
        (Policy::Service, _) => Refused(Code::AuthHmacInvalid),
        (_, Who::Nobody | Who::Service) => Refused(Code::AuthTokenMissing),
        (_, Who::Garbage | Who::OtherIssuer) => Refused(Code::AuthTokenInvalid),
        (_, Who::Expired) => Refused(Code::AuthTokenExpired),
        (_, Who::Ended) => Refused(Code::AuthSessionRevoked),
        (Policy::Role(role), Who::With(own)) if role.is_among(&[own.as_str()]) => Admitted,
        (Policy::SelfOrAdmin | Policy::Role(_), _) => Refused(Code::PermissionDenied),
        (Policy::User | Policy::Owner, _) => Admitted,
    }
}

/// Who walks: makes the headers of each kind of caller anew, since a route may end the session that it is called with.
pub trait Callers {
    /// Headers that make `who` the caller of this request.
    fn headers(
        &self,
        who: Who,
        method: &Method,
        path: &str,
        body: &str,
    ) -> impl Future<Output = Vec<(String, String)>>;

    /// The path of a template, each parameter filled with the id of an object that is none of the callers'.
    fn path_of_another_tenant(&self, template: &str) -> impl Future<Output = String>;
}

/// A route that did not answer as the table promises.
#[derive(Debug, Clone)]
pub struct Breach {
    /// The route.
    pub route: String,
    /// Who called.
    pub who: Who,
    /// What was promised.
    pub promised: Verdict,
    /// What came.
    pub status: u16,
    /// Its body.
    pub body: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            route,
            who,
            promised,
            status,
            body,
        } = self;
        write!(
            f,
            "{route} for {who:?}: promised {promised:?}, got {status} {body}"
        )
    }
}

/// Calls every route of `table` at `base` as every kind of caller. How many calls there were, and the breaches.
pub async fn walk(base: &str, table: &[RouteRule], callers: &impl Callers) -> (usize, Vec<Breach>) {
    let http = Client::builder().no_proxy().build().unwrap_or_default();
    let (mut calls, mut breaches) = (0, Vec::new());
    for rule in table {
        for who in Who::ALL {
            calls += 1;
            let path = callers.path_of_another_tenant(rule.path).await;
            let with_body = rule.method != Method::GET && rule.method != Method::DELETE;
            let body = if with_body { "{}" } else { "" };
            let mut request = http.request(rule.method.clone(), format!("{base}{path}"));
            for (name, value) in callers.headers(who, &rule.method, &path, body).await {
                request = request.header(name, value);
            }
            if with_body {
                request = request.header(CONTENT_TYPE, "application/json").body(body);
            }
            let promised = verdict(rule.rule.policy, who);
            let (status, body) = match request.send().await {
                Ok(answer) => (
                    answer.status().as_u16(),
                    answer.text().await.unwrap_or_default(),
                ),
                Err(error) => (0, error.to_string()),
            };
            if !holds(promised, rule, status, &body) {
                breaches.push(Breach {
                    route: format!("{} {}", rule.method, rule.path),
                    who,
                    promised,
                    status,
                    body,
                });
            }
        }
    }
    (calls, breaches)
}

fn holds(promised: Verdict, rule: &RouteRule, status: u16, body: &str) -> bool {
    let code = serde_json::from_str::<Value>(body)
        .ok()
        .and_then(|body| body.get("code")?.as_str().and_then(Code::from_text));
    match promised {
        Verdict::Refused(wanted) => code == Some(wanted) && status == wanted.status(),
        // The object is another tenant's: for these callers it does not exist.
        Verdict::Admitted if rule.rule.policy == Policy::Owner => status == 404,
        Verdict::Admitted => !matches!(status, 0 | 401 | 403 | 405 | 500..),
    }
}

/// The committed page `docs/reference/access/<service>.md` is this table; with
/// [`UPDATE`](crate::reference::UPDATE) set it becomes so.
///
/// # Panics
/// When they differ.
pub fn table_page(service: &str, table: &[RouteRule]) {
    let mut lines: Vec<String> = table
        .iter()
        .map(|RouteRule { method, path, rule }| {
            let fresh = if rule.fresh { "at once" } else { "" };
            let (policy, class) = (rule.policy.as_str(), rule.class.as_str());
            format!("| `{path}` | {method} | {policy} | {class} | {fresh} |\n")
        })
        .collect();
    lines.sort();
    let text = format!(
        "# Who may call what: {service}\n\n\
         Made from the code that enforces it. What the policies mean: [access.md](../access.md).\n\n\
         | path | method | policy | rate class | an ended session is refused |\n\
         | --- | --- | --- | --- | --- |\n{}",
        lines.concat()
    );
    crate::reference::assert_text(&format!("access/{service}.md"), &text);
}

/// Every operation of the `OpenAPI` document has a rule in the table and says which, and every rule is of a documented
/// operation.
///
/// # Panics
/// When one is missing.
pub fn assert_documented(table: &[RouteRule], document: &Value) {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut documented = BTreeSet::new();
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(&item) {
            if !["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                continue;
            }
            let policy = operation.get("x-twist-policy").and_then(Value::as_str);
            let policy = policy.unwrap_or("none");
            documented.insert((method.to_uppercase(), path.clone(), policy.to_owned()));
        }
    }
    let ruled: BTreeSet<_> = table
        .iter()
        .map(|RouteRule { method, path, rule }| {
            let policy = rule.policy.as_str().to_owned();
            (method.to_string(), (*path).to_owned(), policy)
        })
        .collect();
    assert_eq!(documented, ruled);
}
