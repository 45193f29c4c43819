//! An application: its routes, its documentation, its readiness.

use crate::access::{Gate, Guards, RouteRule, Routes, Rule};
use crate::auth::BEARER_SCHEME;
use crate::health::{self, ReadyCheck, ReadyChecks};
use crate::hmac::HMAC_SCHEME;
use crate::limit::RateClass;
use crate::server::{docs, document};
use crate::version::{self, Revision};
use aide::openapi::{ApiKeyLocation, Info, OpenApi, SecurityScheme};
use axum::Router;
use axum::routing::get;
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// The alias under which public routes answer too.
pub(crate) const ALIAS: &str = "/api/v1";

const DOCUMENT: RouteRule = RouteRule {
    method: Method::GET,
    path: "/openapi.json",
    rule: Rule::public(RateClass::Unlimited),
};

const DOCS: RouteRule = RouteRule {
    method: Method::GET,
    path: "/docs",
    rule: Rule::public(RateClass::Unlimited),
};

/// Which service an application is.
#[derive(Debug, Clone)]
pub struct About {
    /// The name of its program: `auth-service`.
    pub service: &'static str,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// The commit it was built from, if the environment says so.
    pub revision: Option<Revision>,
}

/// What [`super::start`] serves.
pub struct App {
    pub(super) router: Router,
    pub(super) gate: Gate,
    rules: Vec<RouteRule>,
    pub(super) checks: ReadyChecks,
    openapi: Arc<Value>,
    pub(super) around: Option<Around>,
}

/// Wraps the whole shell.
pub(super) type Around = Box<dyn FnOnce(Router) -> Router + Send>;

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl App {
    /// Puts an application together: `public` routes at the root and under `/api/v1`, `internal` ones at
    /// the root only, `/health`, `/ready`, `/version`, `/openapi.json` and `/docs`, which shows that. A service whose
    /// routes all are for anyone needs no guards; a route that does is then answered 500.
    ///
    /// The documentation is collected per thread while routes are built, so build the routers and call
    /// this in one go, without an `await` between.
    pub fn new(
        about: About,
        guards: impl Into<Option<Guards>>,
        public: Routes,
        internal: Routes,
        checks: Vec<ReadyCheck>,
    ) -> Self {
        let checks = ReadyChecks::new(checks);
        let title = format!("TWIST {}", about.service);
        let description = about.description.to_owned();
        let public = public
            .merge(health::routes(checks.clone()))
            .merge(version::routes(about));
        let (public, mut rules) = public.into_parts();
        let (internal, internal_rules) = internal.into_parts();
        let internal_paths: BTreeSet<_> = internal_rules.iter().map(|rule| rule.path).collect();
        rules.extend(internal_rules);
        rules.push(DOCUMENT);
        rules.push(DOCS);
        let alias: Router = public.clone().into();
        let mut openapi = OpenApi {
            info: Info {
                title,
                description: Some(description),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                ..Info::default()
            },
            ..OpenApi::default()
        };
        let router = public.merge(internal).finish_api_with(&mut openapi, |api| {
            api.security_scheme(BEARER_SCHEME, bearer())
                .security_scheme(HMAC_SCHEME, hmac())
        });
        let openapi = document::complete(&openapi, &rules, &internal_paths);
        let document = axum::body::Bytes::from(openapi.to_string());
        let router = router
            .route(
                "/openapi.json",
                get(async move || ([(CONTENT_TYPE, "application/json")], document.clone())),
            )
            .merge(docs::routes())
            .nest(ALIAS, alias);
        Self {
            router,
            gate: Gate::new(&rules, guards.into()),
            rules,
            checks,
            openapi: Arc::new(openapi),
            around: None,
        }
    }

    /// Puts `wrap` around everything, the shell's own error bodies included: for tests that watch every answer.
    #[must_use]
    pub fn around(mut self, wrap: impl FnOnce(Router) -> Router + Send + 'static) -> Self {
        self.around = Some(Box::new(wrap));
        self
    }

    /// The authorisation table: every route with its rule.
    pub fn rules(&self) -> &[RouteRule] {
        &self.rules
    }

    /// The documentation, as `/openapi.json` gives it.
    pub fn openapi(&self) -> &Value {
        &self.openapi
    }
}

fn bearer() -> SecurityScheme {
    SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: Some("JWT".to_owned()),
        description: Some("The access token of `POST /auth/verify`.".to_owned()),
        extensions: std::iter::empty().collect(),
    }
}

fn hmac() -> SecurityScheme {
    SecurityScheme::ApiKey {
        location: ApiKeyLocation::Header,
        name: "X-HMAC-Signature".to_owned(),
        description: Some(
            "HMAC-SHA-256 in lower-case hex over method, path, X-Timestamp and body, joined by \
             newlines, with the secret that X-Key-Id names."
                .to_owned(),
        ),
        extensions: std::iter::empty().collect(),
    }
}
