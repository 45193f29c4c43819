//! Calls to the Durable Object.

use contracts::vau::VauStatus;
use durable_objects::{Bindings, log_error};
use edge_core::Refusal;
use edge_core::shard::{
    ACCEPT, ACKNOWLEDGE, Accept, Accepted, Acknowledge, FIND, Find, Found, NAME, ORIGIN, REPORT,
    Report, STATUS, Status, TICK,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use wasm_bindgen::JsValue;
use worker::{Method, Request, RequestInit};

/// Hands a checked VAU over.
pub(crate) async fn accept(bindings: &Bindings, request: &Accept) -> Result<Accepted, Refusal> {
    call(bindings, NAME, ACCEPT, request)
        .await
        .map_err(|error| {
            log_error("the shard could not be asked", &error);
            Refusal::unavailable("VAUs cannot be stored at the moment; try again.")
        })
}

/// Tells the object that the backend has a segment.
pub(crate) async fn acknowledge(
    bindings: &Bindings,
    shard: &str,
    segment_id: Uuid,
) -> worker::Result<Status> {
    call(bindings, shard, ACKNOWLEDGE, &Acknowledge { segment_id }).await
}

/// What waits in the object.
pub(crate) async fn status(bindings: &Bindings) -> worker::Result<Status> {
    call(bindings, NAME, STATUS, &()).await
}

/// Where a VAU is, if the object still remembers it.
pub(crate) async fn find(bindings: &Bindings, find: &Find) -> Result<Option<VauStatus>, Refusal> {
    let found: Found = call(bindings, NAME, FIND, find).await.map_err(|error| {
        log_error("the shard could not be asked", &error);
        Refusal::unavailable("VAUs cannot be looked up at the moment; try again.")
    })?;
    Ok(found.status)
}

/// The object's figures.
pub(crate) async fn report(bindings: &Bindings) -> worker::Result<Report> {
    call(bindings, NAME, REPORT, &()).await
}

/// Has the object look whether there is something to do.
pub(crate) async fn tick(bindings: &Bindings) -> worker::Result<Status> {
    call(bindings, NAME, TICK, &()).await
}

async fn call<T: Serialize, R: DeserializeOwned>(
    bindings: &Bindings,
    name: &str,
    path: &str,
    message: &T,
) -> worker::Result<R> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_body(Some(JsValue::from_str(&serde_json::to_string(message)?)));
    let request = Request::new_with_init(&format!("{ORIGIN}{path}"), &init)?;
    let stub = bindings.shards()?.get_by_name(name)?;
    let mut response = stub.fetch_with_request(request).await?;
    if response.status_code() != 200 {
        return Err(worker::Error::RustError(format!(
            "the shard answered {}",
            response.status_code()
        )));
    }
    Ok(serde_json::from_str(&response.text().await?)?)
}
