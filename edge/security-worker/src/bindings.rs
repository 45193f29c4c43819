//! Typed access to the Worker's environment.

use edge_core::bindings::guard;
use edge_core::{GuardSettings, SettingsError, audit, limiter};
use edge_runtime::log_error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::{Env, Fetcher, Method, Request, RequestInit};

/// The environment, by meaning instead of by name.
#[derive(Debug, Clone)]
pub(crate) struct Bindings(Env);

impl Bindings {
    /// Wraps the environment of a call.
    pub(crate) const fn new(env: Env) -> Self {
        Self(env)
    }

    /// The variables and secrets, checked.
    pub(crate) fn settings(&self) -> Result<GuardSettings, SettingsError> {
        GuardSettings::read(|name| self.0.var(name).ok().map(|value| value.to_string()))
    }

    /// The Worker behind.
    pub(crate) fn vau_processor(&self) -> worker::Result<Fetcher> {
        self.0.service(guard::VAU_PROCESSOR)
    }

    /// Asks the object that counts; nothing when it cannot be asked.
    pub(crate) async fn limiter<T: Serialize, R: DeserializeOwned>(
        &self,
        path: &str,
        message: &T,
    ) -> Option<R> {
        let url = format!("{}{path}", limiter::ORIGIN);
        let asked = self.ask(guard::LIMITER, limiter::NAME, &url, message).await;
        asked
            .inspect_err(|error| log_error("the limiter could not be asked", error))
            .ok()
    }

    /// Sends records to the audit log. False: this deployment has none.
    pub(crate) async fn audit<T: Serialize>(&self, append: &T) -> worker::Result<bool> {
        if self.0.durable_object(guard::AUDIT_LOG).is_err() {
            return Ok(false);
        }
        let url = format!("{}{}", audit::ORIGIN, audit::APPEND);
        let _: audit::Appended = self
            .ask(guard::AUDIT_LOG, audit::NAME, &url, append)
            .await?;
        Ok(true)
    }

    async fn ask<T: Serialize, R: DeserializeOwned>(
        &self,
        binding: &str,
        name: &str,
        url: &str,
        message: &T,
    ) -> worker::Result<R> {
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_body(Some(JsValue::from_str(&serde_json::to_string(message)?)));
        let request = Request::new_with_init(url, &init)?;
        let stub = self.0.durable_object(binding)?.get_by_name(name)?;
        let mut response = stub.fetch_with_request(request).await?;
        if response.status_code() != 200 {
            let status = response.status_code();
            return Err(worker::Error::RustError(format!(
                "{name} answered {status}"
            )));
        }
        Ok(serde_json::from_str(&response.text().await?)?)
    }
}
