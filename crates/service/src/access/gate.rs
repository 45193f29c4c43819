//! What enforces the rules: who calls, whether they may, how often.

use super::{Policy, Role, RouteRule, Rule};
use crate::ApiError;
use crate::auth::{Believed, Revocations, TokenVerifier, bearer};
use crate::limit::{Decision, Limiter, RateClass, RateKey};
use crate::server::{ALIAS, ClientAddress};
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use contracts::Code;
use http::request::Parts;
use http::{Method, StatusCode};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What the rules are checked with.
#[derive(Debug, Clone)]
pub struct Guards {
    /// Believes access tokens.
    pub verifier: TokenVerifier,
    /// Knows which sessions were ended.
    pub revocations: Revocations,
    /// Knows roles.
    pub database: DatabaseConnection,
    /// Counts calls.
    pub limiter: Limiter,
}

/// The rules of an application, by method and path.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: HashMap<&'static str, Vec<(Method, Rule)>>,
    guards: Option<Guards>,
}

impl Gate {
    /// Without guards only routes that anyone may call, as often as they like, are served.
    pub(crate) fn new(rules: &[RouteRule], guards: Option<Guards>) -> Self {
        let mut by_path: HashMap<&'static str, Vec<(Method, Rule)>> = HashMap::new();
        for RouteRule { method, path, rule } in rules {
            by_path
                .entry(path)
                .or_default()
                .push((method.clone(), *rule));
        }
        Self(Arc::new(Inner {
            rules: by_path,
            guards,
        }))
    }

    fn guards(&self) -> Result<&Guards, ApiError> {
        let missing = || ApiError::internal(&"a route has a rule that nothing can check");
        self.0.guards.as_ref().ok_or_else(missing)
    }

    /// Serves a request, if it may be served.
    pub(crate) async fn pass(&self, request: Request, next: Next) -> Response {
        let (mut parts, body) = request.into_parts();
        match self.admit(&mut parts).await {
            Ok(decision) => {
                let mut response = next.run(Request::from_parts(parts, body)).await;
                if let Some(decision) = decision {
                    decision.write(response.headers_mut());
                }
                response
            }
            Err(error) => error.into_response(),
        }
    }

    /// Puts who calls into the request, or says why it is not served.
    async fn admit(&self, parts: &mut Parts) -> Result<Option<Decision>, ApiError> {
        // Without a route there is nothing to protect: the fallback answers 404.
        let Some(path) = parts.extensions.get::<MatchedPath>().cloned() else {
            return Ok(None);
        };
        let path = path.as_str();
        let rules = self.0.rules.get(path).or_else(|| {
            path.strip_prefix(ALIAS)
                .and_then(|path| self.0.rules.get(path))
        });
        let Some(rules) = rules else {
            return Err(ApiError::internal(&"a route has no rule"));
        };
        let method = match &parts.method {
            &Method::HEAD => &Method::GET,
            method => method,
        };
        // Another method is answered 405 by the router.
        let Some((_, rule)) = rules.iter().find(|(of, _)| of == method) else {
            return Ok(None);
        };
        let rule = *rule;
        if !rule.policy.needs_token() {
            return self.count(rule, address(parts)?).await;
        }
        let believed = self.believe(parts).await?;
        // Counted before anything is asked of the database, so that who floods a route costs it nothing.
        let who = RateKey::Principal(believed.principal.uid);
        let decision = self.count(rule, who).await?;
        if rule.asks_database()
            && let Err(refused) = Box::pin(self.check_with_database(parts, rule, &believed)).await
        {
            return Err(match decision {
                Some(decision) => refused.with_limit(decision),
                None => refused,
            });
        }
        parts.extensions.insert(believed.principal);
        Ok(decision)
    }

    async fn count(&self, rule: Rule, who: RateKey) -> Result<Option<Decision>, ApiError> {
        if rule.class == RateClass::Unlimited {
            return Ok(None);
        }
        self.guards()?.limiter.check(rule.class, &who).await
    }

    /// Whose token it is, as far as this instance knows by itself.
    async fn believe(&self, parts: &Parts) -> Result<Believed, ApiError> {
        let guards = self.guards()?;
        let token = bearer(&parts.headers)?;
        let believed = guards.verifier.verify(token).await?;
        if let Err(refused) = guards.revocations.check(&believed) {
            guards.verifier.forget(token).await;
            return Err(refused);
        }
        Ok(believed)
    }

    /// What only the database knows.
    async fn check_with_database(
        &self,
        parts: &Parts,
        rule: Rule,
        believed: &Believed,
    ) -> Result<(), ApiError> {
        let guards = self.guards()?;
        if rule.fresh
            && let Err(refused) = guards.revocations.check_now(believed).await
        {
            if refused.status() == StatusCode::UNAUTHORIZED {
                guards.verifier.forget(bearer(&parts.headers)?).await;
            }
            return Err(refused);
        }
        match rule.policy {
            Policy::Role(wanted) => self.check_role(believed.principal.uid, wanted).await,
            Policy::Public
            | Policy::User
            | Policy::Owner
            | Policy::SelfOrAdmin
            | Policy::Service => Ok(()),
        }
    }

    async fn check_role(&self, uid: Uuid, role: Role) -> Result<(), ApiError> {
        let sql = "SELECT roles FROM users WHERE id = $1";
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [uid.into()]);
        let row = self.guards()?.database.query_one_raw(statement).await?;
        let roles: Vec<String> = row
            .map(|row| row.try_get("", "roles"))
            .transpose()?
            .unwrap_or_default();
        if role.is_among(&roles) {
            Ok(())
        } else {
            Err(ApiError::new(
                Code::PermissionDenied,
                format!("This needs the role `{}`.", role.as_str()),
            ))
        }
    }
}

fn address(parts: &Parts) -> Result<RateKey, ApiError> {
    parts
        .extensions
        .get::<ClientAddress>()
        .map(|ClientAddress(address)| RateKey::Address(*address))
        .ok_or_else(|| ApiError::internal(&"nobody knows where a request is from"))
}
