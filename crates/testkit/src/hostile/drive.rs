//! Driving every operation with canaries, and keeping what it answered.

use super::operation::{Operation, Place};
use super::walk::{Caller, Walk};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

/// What is planted in requests. All are ASCII letters, digits and `-`.
#[derive(Debug, Clone)]
pub struct Planted {
    /// In bodies: in every string, and in what is no JSON.
    pub body: String,
    /// In paths. A problem's `instance` repeats it to whoever sent it.
    pub path: String,
    /// In queries.
    pub query: String,
    /// In place of a credential.
    pub credential: String,
    /// On every request.
    pub headers: Vec<(String, String)>,
}

/// How a request says who calls.
#[derive(Clone)]
enum As {
    /// As one who may.
    Caller,
    /// With this `Authorization`.
    Authorization(String),
    /// With signature headers that are no signature.
    Signature(String),
}

impl Walk<'_> {
    /// Sends canaries to every operation, well and badly authorised, well and badly formed. Gives every answer's
    /// head and body, with what was asked.
    pub async fn canaries(&self, caller: &impl Caller, planted: &Planted) -> Vec<(String, String)> {
        let mut answers = Vec::new();
        for operation in self.operations() {
            for (path, query, body) in self.variants(caller, operation, planted).await {
                let target = format!("{path}{query}");
                let callers = [
                    As::Caller,
                    As::Authorization(format!("Bearer {}", planted.credential)),
                    As::Authorization(format!("Bearer a.{}.c", planted.credential)),
                    As::Authorization(format!("Basic {}", planted.credential)),
                    As::Authorization(planted.credential.clone()),
                    As::Signature(planted.credential.clone()),
                ];
                for who in callers {
                    let answer = self
                        .ask(caller, operation, &target, &body, &who, planted)
                        .await;
                    answers.push(answer);
                }
            }
        }
        // What is no route, and what is none with this method.
        for (method, path) in [("GET", planted.path.as_str()), ("PATCH", "health")] {
            let operation = self.operations().first().expect("an operation");
            let mut operation = operation.clone();
            method.clone_into(&mut operation.method);
            let target = format!("/{path}?x={}", planted.query);
            let who = As::Authorization(format!("Bearer {}", planted.credential));
            let body = planted.body.clone().into_bytes();
            answers.push(
                self.ask(caller, &operation, &target, &body, &who, planted)
                    .await,
            );
        }
        answers
    }

    async fn variants(
        &self,
        caller: &impl Caller,
        operation: &Operation,
        planted: &Planted,
    ) -> Vec<(String, String, Vec<u8>)> {
        let good = caller.body(operation).await;
        let places = operation.strings(good.as_ref());
        let query = format!("?{0}=1&x={0}", planted.query);
        let mut all = Vec::new();
        let mut add = |places: &[Place], text: &str| {
            let request = operation.request(good.as_ref(), places, text);
            let body = request.body.as_ref().map(Value::to_string);
            let (path, named) = match request.target.split_once('?') {
                Some((path, named)) => (path.to_owned(), format!("{query}&{named}")),
                None => (request.target, query.clone()),
            };
            all.push((path, named, body.unwrap_or_default().into_bytes()));
        };
        add(&[], "");
        for place in &places {
            let text = match place {
                Place::Path(_) => &planted.path,
                Place::Query(_) => &planted.query,
                Place::Body(_) | Place::Header(_) => &planted.body,
            };
            add(std::slice::from_ref(place), text);
        }
        let plain = operation.request(good.as_ref(), &[], "").target;
        let canary = &planted.body;
        let mut odd = good.unwrap_or_else(|| json!({}));
        if let Some(members) = odd.as_object_mut() {
            members.insert("unknownMember".to_owned(), canary.as_str().into());
        }
        for body in [
            odd.to_string(),
            json!({ "walletAddress": { "a": canary }, "deviceId": [canary] }).to_string(),
            format!("{{\"{canary}"),
            format!("{{\"a\":{canary}}}"),
            canary.clone(),
            json!(canary).to_string(),
        ] {
            all.push((plain.clone(), String::new(), body.into_bytes()));
        }
        all
    }

    async fn ask(
        &self,
        caller: &impl Caller,
        operation: &Operation,
        target: &str,
        body: &[u8],
        who: &As,
        planted: &Planted,
    ) -> (String, String) {
        let headers = match who {
            As::Caller => caller.headers(operation, target, body).await,
            As::Authorization(text) => vec![("authorization".to_owned(), text.clone())],
            As::Signature(text) => vec![
                ("x-key-id".to_owned(), text.clone()),
                ("x-timestamp".to_owned(), text.clone()),
                ("x-hmac-signature".to_owned(), text.clone()),
            ],
        };
        let method = Method::from_bytes(operation.method.as_bytes()).expect("a method");
        let mut request = self.request(method, target);
        for (name, value) in headers.iter().chain(&planted.headers) {
            request = request.header(name, HeaderValue::from_str(value).expect("a header"));
        }
        if operation.has_body() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_vec());
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        assert!(
            status.as_u16() < 500 && status != 429,
            "{target}: {answer:?}"
        );
        let what = format!("{} {}: {status}", operation.method, operation.path);
        let head = format!("{:?}", answer.headers());
        let body = answer.bytes().await.expect("a whole answer");
        (what, format!("{head}\n{}", String::from_utf8_lossy(&body)))
    }
}
