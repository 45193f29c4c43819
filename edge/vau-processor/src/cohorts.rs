//! `GET /api/v1/cohorts/…`: what a page needs to find out by itself whether its user is meant.

use crate::{caller, operator};
use contracts::Code;
use durable_objects::{Bindings, log_error, now};
use edge_core::cohort::{
    COUNT, Cohort, Config, Count, Counted, Criteria, Filter, NAME, ORIGIN, SEEN, Salt, Seen, Week,
    pseudonym,
};
use edge_core::{Refusal, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{Method, Request, RequestInit};

/// The routes of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Salt,
    Filters,
    Own,
}

impl Route {
    pub(crate) fn of(path: &str) -> Option<Self> {
        [Self::Salt, Self::Filters, Self::Own]
            .into_iter()
            .find(|route| route.path() == path)
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Salt => "/api/v1/cohorts/salt",
            Self::Filters => "/api/v1/cohorts/filters",
            Self::Own => "/api/v1/cohorts/me",
        }
    }
}

/// The body.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Told {
    Salts(Salts),
    Filter(Box<Filter>),
    Own(Own),
}

/// The weeks whose filters are to be used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Salts {
    current: WeekSalt,
    previous: WeekSalt,
    k: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WeekSalt {
    week: u64,
    salt: String,
    valid_until: u64,
}

/// The caller's cohort.
#[derive(Debug, Serialize)]
pub(crate) struct Own {
    cohort: Cohort,
}

/// Answers one of the routes.
pub(crate) async fn tell(
    route: Route,
    request: &Request,
    bindings: &Bindings,
    settings: &Settings,
) -> Result<Told, Refusal> {
    let config = bindings.cohort_config().map_err(|error| {
        log_error("cohorts are not configured", &error);
        Refusal::unavailable("Cohorts are not configured.")
    })?;
    match route {
        Route::Salt => Ok(Told::Salts(salts(&config))),
        Route::Filters => filter(request, bindings, settings, &config).await,
        Route::Own => own(request, bindings, settings, &config).await,
    }
}

fn salts(config: &Config) -> Salts {
    let week = Week::of(now());
    let of = |week: Week| WeekSalt {
        week: week.number(),
        salt: Salt::of(&config.secret, week).text(),
        valid_until: week.expires_at(),
    };
    Salts {
        current: of(week),
        previous: of(week.before()),
        k: config.k,
    }
}

async fn filter(
    request: &Request,
    bindings: &Bindings,
    settings: &Settings,
    config: &Config,
) -> Result<Told, Refusal> {
    operator::check(request, settings)?;
    let url = request
        .url()
        .map_err(|_| Refusal::new(Code::RequestMalformed, "The request's URL cannot be read."))?;
    let length = url.query().map_or(0, str::len);
    let criteria = Criteria::parse(length, url.query_pairs())?;
    let week = Week::of(now());
    let all: Vec<Cohort> = criteria.cohorts.union(&criteria.exclude).cloned().collect();
    let count = Count {
        week: week.number(),
        cohorts: all.clone(),
    };
    let Counted { members } = call(bindings, COUNT, &count).await?;
    let seen = |cohort: &Cohort| {
        let found = all.iter().zip(&members).find(|(name, _)| *name == cohort);
        found.map_or(0, |(_, members)| *members)
    };
    let salt = Salt::of(&config.secret, week);
    Filter::make(&criteria, seen, config.k, &salt, week)
        .map(|filter| Told::Filter(Box::new(filter)))
        .ok_or(Refusal::new(
            Code::NotFound,
            "None of these cohorts has enough members that were seen lately.",
        ))
}

async fn own(
    request: &Request,
    bindings: &Bindings,
    settings: &Settings,
    config: &Config,
) -> Result<Told, Refusal> {
    let claims = caller::bearer(request, settings, now()).await?;
    let cohort = Cohort::of(&claims.sub);
    let week = Week::of(now());
    let seen = Seen {
        week: week.number(),
        cohort: cohort.clone(),
        member: pseudonym(&config.secret, week, &claims.uid.to_string()),
        enough: config.k,
    };
    // A user with several wallets has a cohort for each, and is one member in each.
    let _: serde_json::Value = call(bindings, SEEN, &seen).await?;
    Ok(Told::Own(Own { cohort }))
}

async fn call<T: Serialize, R: DeserializeOwned>(
    bindings: &Bindings,
    path: &str,
    message: &T,
) -> Result<R, Refusal> {
    asked(bindings, path, message).await.map_err(|error| {
        log_error("the census could not be asked", &error);
        Refusal::unavailable("Cohorts cannot be counted at the moment; try again.")
    })
}

async fn asked<T: Serialize, R: DeserializeOwned>(
    bindings: &Bindings,
    path: &str,
    message: &T,
) -> worker::Result<R> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(JsValue::from_str(&serde_json::to_string(message)?)));
    let request = Request::new_with_init(&format!("{ORIGIN}{path}"), &init)?;
    let stub = bindings.cohort_census()?.get_by_name(NAME)?;
    let mut response = stub.fetch_with_request(request).await?;
    if response.status_code() != 200 {
        return Err(worker::Error::RustError(format!(
            "the census answered {}",
            response.status_code()
        )));
    }
    Ok(serde_json::from_str(&response.text().await?)?)
}
