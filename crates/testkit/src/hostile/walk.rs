//! Sending it, and judging the answers.

use super::input::{injections, malformed, nearly};
use super::operation::{Operation, Request, operations};
use crate::leaks::database;
use reqwest::{Client, Method, Response};
use sea_orm::DatabaseConnection;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the test of a service knows.
pub trait Caller {
    /// Headers with which `operation` is open to whoever sends them, with this body: a token, or a signature.
    fn headers(
        &self,
        operation: &Operation,
        target: &str,
        body: &[u8],
    ) -> impl Future<Output = Vec<(String, String)>>;

    /// A body that would be taken; `None` for one that is made from the schema.
    fn body(&self, operation: &Operation) -> impl Future<Output = Option<Value>>;
}

/// A walk through a service.
#[derive(Debug)]
pub struct Walk<'a> {
    http: Client,
    url: String,
    operations: Vec<Operation>,
    database: &'a DatabaseConnection,
    tables: Vec<String>,
    sent: usize,
    findings: Vec<String>,
}

impl<'a> Walk<'a> {
    /// Of the service at `url`, by the document that it serves. `database` is a connection of its tables' owner.
    ///
    /// # Panics
    /// When the service has no document.
    pub async fn of(url: &str, database: &'a DatabaseConnection) -> Self {
        let http = Client::builder().no_proxy().build().expect("make a client");
        let document = http.get(format!("{url}/openapi.json")).send().await;
        let document: Value = document
            .expect("ask for the document")
            .json()
            .await
            .expect("a document");
        Self {
            http,
            url: url.to_owned(),
            operations: operations(&document),
            database,
            tables: database::tables(database).await,
            sent: 0,
            findings: Vec::new(),
        }
    }

    /// Sends every malformed body to every operation that takes one: each must be refused, as is documented, and
    /// write nothing.
    pub async fn malformed(&mut self, caller: &impl Caller) {
        for operation in self.operations.clone() {
            if !operation.has_body() {
                continue;
            }
            let good = caller.body(&operation).await;
            let request = operation.request(good.as_ref(), &[], "");
            let good = request.body.unwrap_or_default().to_string();
            for (name, body) in malformed().into_iter().chain(nearly(&good)) {
                let request = operation.request(None, &[], "");
                let what = format!("{} {}: {name}", operation.method, operation.path);
                self.send(caller, &operation, request, body, &what, true)
                    .await;
            }
        }
    }

    /// Puts every text that means something to SQL into every string of every operation: each is taken or refused
    /// as is documented, and nothing that is refused writes.
    pub async fn injections(&mut self, caller: &impl Caller) {
        for operation in self.operations.clone() {
            let good = caller.body(&operation).await;
            for place in operation.strings(good.as_ref()) {
                for text in injections() {
                    let places = std::slice::from_ref(&place);
                    let request = operation.request(good.as_ref(), places, text);
                    let body = match &request.body {
                        Some(body) => serde_json::to_vec(body).expect("a body"),
                        None => Vec::new(),
                    };
                    let what = format!(
                        "{} {}: {text:?} in {place:?}",
                        operation.method, operation.path
                    );
                    self.send(caller, &operation, request, body, &what, false)
                        .await;
                }
            }
        }
    }

    /// How many requests were sent.
    ///
    /// # Panics
    /// When an answer was not as it must be.
    pub fn finish(self) -> usize {
        assert!(
            self.findings.is_empty(),
            "{} of {} answers:\n{}",
            self.findings.len(),
            self.sent,
            self.findings.join("\n")
        );
        self.sent
    }

    async fn send(
        &mut self,
        caller: &impl Caller,
        operation: &Operation,
        request: Request,
        body: Vec<u8>,
        what: &str,
        must_refuse: bool,
    ) {
        let headers = caller.headers(operation, &request.target, &body).await;
        let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
        let mut sent = self
            .http
            .request(method, format!("{}{}", self.url, request.target));
        for (name, value) in headers.iter().chain(&request.headers) {
            // What cannot be a header's value never leaves a client.
            let Ok(value) = reqwest::header::HeaderValue::from_str(value) else {
                return;
            };
            sent = sent.header(name, value);
        }
        if operation.has_body() {
            sent = sent.header("content-type", "application/json").body(body);
        }
        let before = self.counts().await;
        let answer = sent.send().await.expect("an answer");
        self.sent += 1;
        let refused = answer.status().as_u16() >= 400;
        if let Some(why) = wrong(operation, answer, must_refuse).await {
            self.findings.push(format!("{what}: {why}"));
        }
        if refused && self.counts().await != before {
            self.findings.push(format!("{what}: was refused and wrote"));
        }
    }

    pub(super) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    pub(super) fn request(&self, method: Method, target: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{target}", self.url))
    }

    async fn counts(&self) -> BTreeMap<String, String> {
        database::counts(self.database, &self.tables).await
    }
}

/// What is wrong with an answer.
async fn wrong(operation: &Operation, answer: Response, must_refuse: bool) -> Option<String> {
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").cloned();
    let text = answer.text().await.unwrap_or_default();
    let shown: String = text.chars().take(300).collect();
    // With the limits raised, 429 would only mean that nothing was tried.
    if status >= 500 || status == 429 {
        return Some(format!("{status} {shown}"));
    }
    if status < 400 {
        return must_refuse.then(|| format!("was taken: {status} {shown}"));
    }
    let is_problem = kind.is_some_and(|kind| kind == "application/problem+json")
        && serde_json::from_str::<Value>(&text)
            .is_ok_and(|body| body.get("code").is_some_and(Value::is_string));
    if !is_problem {
        return Some(format!("{status} is no problem: {shown}"));
    }
    // A path that is no route of the service at all is the shell's to refuse.
    let known = operation.documents(status) || status == 404;
    (!known).then(|| format!("{status} is not documented: {shown}"))
}
