//! What happens to a request, in order.

use crate::bindings::Bindings;
use crate::forward::{self, Outgoing};
use crate::{audit, challenge, limits};
use contracts::Code;
use edge_core::answer::{Answer, Exchange, allowed_origin};
use edge_core::challenge::{HEADER as PROOF, Scope};
use edge_core::firewall::{Action, Head, Hit, Place, Rule, inspect_body, inspect_head};
use edge_core::proxy::{self, Body, Class, MAX_BODY_BYTES, Route};
use edge_core::sightings::{self, Subject};
use edge_core::{GuardSettings, Refusal, SettingsError, client, request as rules};
use edge_runtime::{body, discard, header, log_error, now, response};
use uuid::Uuid;
use worker::{Context, Method, Request, Response};

/// What every step needs.
struct Guard<'a> {
    bindings: &'a Bindings,
    context: &'a Context,
    settings: &'a GuardSettings,
    network: String,
    headers: Vec<(String, String)>,
    url: worker::Url,
    route: Option<&'static Route>,
}

/// Passes a request on, or answers it; writes a line to the log for what it answers itself.
pub(crate) async fn answer(
    mut request: Request,
    bindings: &Bindings,
    context: &Context,
) -> worker::Result<Response> {
    let started = now();
    let settings = bindings.settings();
    let mut exchange = exchange(&request, &settings);
    match guarded(&mut request, bindings, context, &settings, &mut exchange).await {
        Ok(response) => Ok(response),
        Err(answer) => {
            discard(&mut request).await;
            let ms = now().get().saturating_sub(started.get());
            log(&exchange, &request.method(), &answer, ms);
            response(*answer)
        }
    }
}

fn exchange(request: &Request, settings: &Result<GuardSettings, SettingsError>) -> Exchange {
    let given = header(request, "x-request-id");
    let origin = header(request, "origin");
    Exchange {
        request_id: client::request_id(given.as_deref())
            .map_or_else(|| Uuid::new_v4().to_string(), str::to_owned),
        path: proxy::find(&request.path()).map(|route| route.path),
        origin: settings
            .as_ref()
            .ok()
            .and_then(|s| allowed_origin(origin.as_deref(), &s.allowed_origins)),
        rate: None,
    }
}

async fn guarded(
    request: &mut Request,
    bindings: &Bindings,
    context: &Context,
    settings: &Result<GuardSettings, SettingsError>,
    exchange: &mut Exchange,
) -> Result<Response, Box<Answer>> {
    let settings = settings.as_ref().map_err(|error| {
        log_error("the Worker is not configured", error);
        refused(
            exchange,
            Refusal::unavailable("The service is not configured completely."),
        )
    })?;
    let url = request.url().map_err(|_| refused(exchange, not_found()))?;
    let guard = Guard {
        bindings,
        context,
        settings,
        network: client::rate_key(header(request, "cf-connecting-ip").as_deref()),
        headers: request.headers().entries().collect(),
        route: proxy::find(url.path()),
        url,
    };
    let country = request.cf().and_then(worker::Cf::country);
    let decided = guard.look_at_head(country.as_deref(), exchange)?;
    let route = guard.allowed(&request.method(), exchange)?;
    let headers = proxy::forward(guard.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())))
        .map_err(|refusal| refused(exchange, refusal))?;
    guard.admit(route, decided, exchange).await?;
    let body = match route.body {
        Body::None => None,
        Body::Json => Some(guard.take_body(request, route, exchange).await?),
    };
    let outgoing = Outgoing {
        method: request.method(),
        url: guard.url.to_string(),
        headers,
        request_id: exchange.request_id.clone(),
        body,
    };
    forward::send(bindings, outgoing)
        .await
        .map_err(|refusal| refused(exchange, refusal))
}

impl Guard<'_> {
    fn head(&self) -> Head<'_> {
        Head {
            path: self.url.path(),
            query: self.url.query().unwrap_or_default(),
            headers: &self.headers,
            class: self.route.map(|route| route.class),
        }
    }

    /// The rules about the head. What is left to do is a challenge, or nothing.
    fn look_at_head(
        &self,
        country: Option<&str>,
        exchange: &Exchange,
    ) -> Result<Option<Hit>, Box<Answer>> {
        let mut hits = inspect_head(self.head());
        let refused_country =
            country.is_some_and(|country| self.settings.countries.iter().any(|c| c == country));
        if refused_country {
            hits.push(Hit {
                rule: Rule::GeoBlock,
                place: Place::Header,
            });
        }
        let decided = self.decide(&hits, exchange);
        match decided.map(|hit| hit.rule) {
            Some(rule) if rule.action() != Action::Challenge => {
                Err(refused(exchange, refusal_of(rule)))
            }
            _ => Ok(decided),
        }
    }

    /// Tells the audit log, and gives the hit that counts.
    fn decide(&self, hits: &[Hit], exchange: &Exchange) -> Option<Hit> {
        if hits.is_empty() {
            return None;
        }
        let key = self.settings.challenge_secret.bytes();
        let subject = Subject {
            actor: &sightings::actor(key, &self.network, now()),
            route: exchange.path,
            request_id: &exchange.request_id,
        };
        let shadow = &self.settings.shadow;
        audit::note(self.bindings, self.context, hits, shadow, subject);
        shadow.decide(hits)
    }

    /// The route, where it answers the method.
    fn allowed(&self, method: &Method, exchange: &Exchange) -> Result<&'static Route, Box<Answer>> {
        let Some(route) = self.route else {
            return Err(refused(exchange, not_found()));
        };
        if !route.answers(method.as_ref()) {
            return Err(Box::new(exchange.method_not_allowed(route.allow)));
        }
        if *method == Method::Options {
            return Err(Box::new(exchange.preflight(route.allow)));
        }
        Ok(route)
    }

    /// The caller's test, where one is due, and its limit.
    async fn admit(
        &self,
        route: &Route,
        decided: Option<Hit>,
        exchange: &mut Exchange,
    ) -> Result<(), Box<Answer>> {
        if decided.is_some() {
            let proof = self
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(PROOF));
            let proof = proof.map(|(_, value)| value.as_str());
            let scope = Scope {
                network: &self.network,
                class: route.class,
            };
            challenge::pass(self.bindings, self.settings, proof, scope)
                .await
                .map_err(|refusal| refused(exchange, refusal))?;
        }
        if route.class != Class::Vau {
            let taken = limits::take(self.bindings, self.settings, &self.network).await;
            if let Err((rate, refusal)) = taken {
                exchange.rate = Some(rate);
                return Err(refused(exchange, refusal));
            }
        }
        Ok(())
    }

    /// The body, with its rules.
    async fn take_body(
        &self,
        request: &mut Request,
        route: &Route,
        exchange: &Exchange,
    ) -> Result<Vec<u8>, Box<Answer>> {
        let bytes = body(request, MAX_BODY_BYTES, proxy::too_large)
            .await
            .map_err(|refusal| {
                let hit = Hit {
                    rule: Rule::LargeBody,
                    place: Place::Body,
                };
                if refusal.code == Code::RequestTooLarge {
                    self.decide(&[hit], exchange);
                }
                refused(exchange, refusal)
            })?;
        if bytes.len() > route.max_bytes() {
            // The route refuses it for its length, whatever it holds.
            return Ok(bytes);
        }
        let media = rules::check_media_type(
            header(request, "content-type").as_deref(),
            header(request, "content-encoding").as_deref(),
        );
        let hits = inspect_body(self.head(), &bytes, media.is_ok());
        if let Some(hit) = self.decide(&hits, exchange) {
            return Err(refused(exchange, refusal_of(hit.rule)));
        }
        media.map_err(|refusal| refused(exchange, refusal))?;
        Ok(bytes)
    }
}

#[allow(clippy::unnecessary_box_returns)] // every answer travels as an error, which has to be small
fn refused(exchange: &Exchange, refusal: Refusal) -> Box<Answer> {
    Box::new(exchange.refusal(refusal))
}

const fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "There is no such route.")
}

/// The answer to a request that a rule holds for. It does not say which: that would help to get around it.
fn refusal_of(rule: Rule) -> Refusal {
    let detail = match rule.code() {
        Code::RequestTooLarge => return proxy::too_large(),
        Code::RequestMalformed => {
            "The request is not one complete message with a JSON body in UTF-8."
        }
        Code::GeoBlocked => "The service is not available where the request comes from.",
        _ => {
            "Something in the request looks like an attack. If it is none, tell us the request id."
        }
    };
    Refusal::new(rule.code(), detail)
}

/// One line for an answer of ours, without anything that tells who called.
fn log(exchange: &Exchange, method: &Method, answer: &Answer, ms: u64) {
    let line = serde_json::json!({
        "level": "info",
        "message": "answered at the route",
        "requestId": exchange.request_id,
        "method": method.as_ref(),
        "route": exchange.path,
        "status": answer.status,
        "code": answer.code,
        "ms": ms,
    });
    worker::console_log!("{line}");
}
