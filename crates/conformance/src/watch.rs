//! Judging every answer of a service under test.

use crate::Contract;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Shows the document in a browser; not part of the contract.
const PAGE_FOR_PEOPLE: &str = "/docs";

/// Judges every answer that a service gives while this value lives, and fails the test that drops it if one was not
/// as documented.
#[derive(Debug)]
pub struct Watch(Arc<Watcher>);

#[derive(Debug)]
struct Watcher {
    contract: Arc<Contract>,
    found: Mutex<Vec<String>>,
}

impl Watch {
    /// For a service with this document.
    ///
    /// # Panics
    /// When the document cannot be used.
    pub fn of(document: &Value) -> Self {
        Self(Arc::new(Watcher {
            contract: contract(document),
            found: Mutex::default(),
        }))
    }

    /// What goes around the service's router, outside of everything that writes answers.
    pub fn wrap(&self) -> impl FnOnce(Router) -> Router + Send + 'static {
        let watcher = Arc::clone(&self.0);
        // Not a layer of the router itself: that would see an answer before its own fallback is wrapped.
        move |router| {
            Router::new()
                .fallback_service(router)
                .layer(from_fn_with_state(watcher, judge))
        }
    }

    /// What was not as documented, so far; nothing of it is held against the test any more.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.found.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let found = self.take();
        assert!(
            found.is_empty() || thread::panicking(),
            "answers that are not as documented:\n{}",
            found.join("\n")
        );
    }
}

async fn judge(State(watcher): State<Arc<Watcher>>, request: Request, next: Next) -> Response {
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let (parts, body) = next.run(request).await.into_parts();
    let Ok(body) = body.collect().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let body = body.to_bytes();
    let status = parts.status.as_u16();
    let kind = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let names = parts.headers.keys().map(http::HeaderName::as_str);
    let contract = &watcher.contract;
    if path == PAGE_FOR_PEOPLE {
        return Response::from_parts(parts, Body::from(body));
    }
    let judged = contract
        .check(&method, &path, status, kind, &body)
        .and_then(|()| contract.check_headers(&method, &path, status, names));
    if let Err(violation) = judged {
        let text = String::from_utf8_lossy(&body);
        let line = format!("{method} {path} answered {status}: {violation}\n  {text}");
        let mut found = watcher.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.push(line);
    }
    Response::from_parts(parts, Body::from(body))
}

/// The contract of a document; read once in a process, since many tests start the same service.
fn contract(document: &Value) -> Arc<Contract> {
    static KNOWN: Mutex<Vec<(Value, Arc<Contract>)>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, contract)) = known.iter().find(|(of, _)| of == document) {
        return Arc::clone(contract);
    }
    let contract = match Contract::from_document(document) {
        Ok(contract) => Arc::new(contract),
        Err(error) => panic!("{error}"),
    };
    known.push((document.clone(), Arc::clone(&contract)));
    contract
}
