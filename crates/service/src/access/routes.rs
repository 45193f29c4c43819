//! Declaring routes, each with its rule.

use super::{Policy, Rule};
use crate::auth::BEARER_SCHEME;
use aide::axum::ApiRouter;
use aide::axum::routing::{delete_with, get_with, patch_with, post_with, put_with};
use aide::operation::OperationHandler;
use aide::transform::TransformOperation;
use aide::{OperationInput, OperationOutput};
use axum::handler::Handler;
use http::Method;
use std::fmt;

/// A route and its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRule {
    /// The method; `HEAD` follows `GET`.
    pub method: Method,
    /// The template: `/auth/sessions/{id}`.
    pub path: &'static str,
    /// What has to hold.
    pub rule: Rule,
}

/// Routes with their rules and their documentation.
#[derive(Clone)]
pub struct Routes<S = ()> {
    router: ApiRouter<S>,
    rules: Vec<RouteRule>,
}

impl<S> fmt::Debug for Routes<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rules).finish()
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident, $with:ident, $method:ident;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name<H, I, O, T, F>(mut self, path: &'static str, rule: Rule, handler: H, docs: F) -> Self
        where
            H: Handler<T, S> + OperationHandler<I, O>,
            I: OperationInput,
            O: OperationOutput,
            T: 'static,
            F: FnOnce(TransformOperation<'_>) -> TransformOperation<'_>,
        {
            self.rules.push(RouteRule { method: Method::$method, path, rule });
            self.router = self
                .router
                .api_route(path, $with(handler, |op| document(docs(op), rule)));
            self
        }
    )*};
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None.
    pub fn new() -> Self {
        Self {
            router: ApiRouter::new(),
            rules: Vec::new(),
        }
    }

    methods! {
        /// Adds `GET path`.
        get, get_with, GET;
        /// Adds `POST path`.
        post, post_with, POST;
        /// Adds `PUT path`.
        put, put_with, PUT;
        /// Adds `PATCH path`.
        patch, patch_with, PATCH;
        /// Adds `DELETE path`.
        delete, delete_with, DELETE;
    }

    /// Adds the routes of `other`.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.rules.extend(other.rules);
        self
    }

    /// Gives the handlers what they share.
    #[must_use]
    pub fn with_state(self, state: S) -> Routes<()> {
        Routes {
            router: self.router.with_state(state),
            rules: self.rules,
        }
    }

    /// The authorisation table.
    pub fn rules(&self) -> &[RouteRule] {
        &self.rules
    }

    pub(crate) fn into_parts(self) -> (ApiRouter<S>, Vec<RouteRule>) {
        (self.router, self.rules)
    }
}

fn document(mut op: TransformOperation<'_>, rule: Rule) -> TransformOperation<'_> {
    let operation = op.inner_mut();
    if rule.policy.needs_token() {
        let bearer = std::iter::once((BEARER_SCHEME.to_owned(), Vec::new())).collect();
        operation.security.push(bearer);
    }
    let mut extend = |name: &str, value: &str| {
        operation
            .extensions
            .insert(name.to_owned(), serde_json::Value::from(value));
    };
    extend("x-twist-policy", rule.policy.as_str());
    if rule.policy != Policy::Service {
        extend("x-twist-rate-class", rule.class.as_str());
    }
    op
}
