//! Key-value namespaces, which bindings name by their id.

use crate::edge::api::{Api, ApiError, Call};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Namespace {
    id: String,
    title: String,
}

impl Api {
    /// Ids by title.
    pub async fn namespaces(&self) -> Result<BTreeMap<String, String>, ApiError> {
        let mut all = BTreeMap::new();
        for page in 1_u32.. {
            let number = page.to_string();
            let query = [("page", number.as_str()), ("per_page", "100")];
            let path = ["storage", "kv", "namespaces"];
            let mut call = Call::get("list the account's key-value namespaces", &path);
            call.query = &query;
            let (found, info) = self.send(call).await?.page::<Vec<Namespace>>()?;
            let last = found.is_empty() || info.total_pages.is_none_or(|pages| page >= pages);
            all.extend(found.into_iter().map(|space| (space.title, space.id)));
            if last {
                break;
            }
        }
        Ok(all)
    }
}
