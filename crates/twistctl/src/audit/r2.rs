//! The bucket, over Cloudflare's API.

use crate::CtlError;
use edge_core::audit::segment::PREFIX;
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use std::time::Duration;

/// More than this in one object is none of the log's.
const MAX_OBJECT_BYTES: usize = 16 << 20;

/// A bucket and the right to read it.
pub(crate) struct R2 {
    client: Client,
    objects: Url,
    token: String,
}

#[derive(Deserialize)]
struct Page {
    success: bool,
    #[serde(default)]
    result: Vec<Object>,
    #[serde(default)]
    result_info: Option<Info>,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    is_truncated: Option<bool>,
}

impl R2 {
    pub(crate) fn new(
        api: &str,
        account: &str,
        bucket: &str,
        token: String,
    ) -> Result<Self, CtlError> {
        let unusable = |error: &dyn std::fmt::Display| CtlError::Help(format!("{api}: {error}"));
        let mut objects = Url::parse(api).map_err(|error| unusable(&error))?;
        objects
            .path_segments_mut()
            .map_err(|()| unusable(&"not a base URL"))?
            .pop_if_empty()
            .extend(["accounts", account, "r2", "buckets", bucket, "objects"]);
        let client = Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .map_err(|error| unusable(&error))?;
        Ok(Self {
            client,
            objects,
            token,
        })
    }

    pub(super) async fn keys(&self) -> Result<Vec<String>, CtlError> {
        let mut keys = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut url = self.objects.clone();
            url.query_pairs_mut()
                .append_pair("prefix", PREFIX)
                .append_pair("per_page", "1000");
            if let Some(cursor) = &cursor {
                url.query_pairs_mut().append_pair("cursor", cursor);
            }
            let page = self.get(url).await?.json::<Page>().await;
            let page = page.map_err(|error| failed("the list of objects", &error))?;
            if !page.success {
                return Err(failed("the list of objects", &"the API says no"));
            }
            keys.extend(page.result.into_iter().map(|object| object.key));
            let next = page
                .result_info
                .filter(|info| info.is_truncated != Some(false))
                .and_then(|info| info.cursor)
                .filter(|next| !next.is_empty());
            // A cursor that does not move would list for ever.
            if next.is_none() || next == cursor {
                return Ok(keys);
            }
            cursor = next;
        }
    }

    pub(super) async fn read(&self, key: &str) -> Result<Vec<u8>, CtlError> {
        let mut url = self.objects.clone();
        url.path_segments_mut()
            .map_err(|()| failed(key, &"not a base URL"))?
            .push(key);
        let mut response = self.get(url).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failed(key, &error))?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > MAX_OBJECT_BYTES {
                return Err(failed(key, &"it is too long to be a segment"));
            }
        }
        Ok(bytes)
    }

    async fn get(&self, url: Url) -> Result<Response, CtlError> {
        let what = url.path().to_owned();
        let request = self.client.get(url).bearer_auth(&self.token);
        let response = request.send().await;
        let response = response.map_err(|error| failed(&what, &error.without_url()))?;
        match response.status().as_u16() {
            200 => Ok(response),
            401 | 403 => Err(failed(&what, &"the token may not read this bucket")),
            status => Err(failed(&what, &format!("the API answered {status}"))),
        }
    }
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> CtlError {
    CtlError::Help(format!("cannot read {what} from the bucket: {error}"))
}
