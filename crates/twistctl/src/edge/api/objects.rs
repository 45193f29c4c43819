//! Objects in R2 buckets.

use crate::edge::api::{Api, ApiError, Call};
use serde::Deserialize;

/// A part of a bucket's list.
#[derive(Debug, Clone)]
pub struct ObjectPage {
    /// The names.
    pub keys: Vec<String>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    key: String,
}

impl Api {
    /// The names that begin with `prefix`, from a place on.
    pub async fn objects(
        &self,
        bucket: &str,
        prefix: &str,
        from: Option<&str>,
    ) -> Result<ObjectPage, ApiError> {
        let path = ["r2", "buckets", bucket, "objects"];
        let mut query = vec![("prefix", prefix)];
        query.extend(from.map(|cursor| ("cursor", cursor)));
        let mut call = Call::get(format!("list the objects of {bucket}"), &path);
        call.query = &query;
        let (found, info) = self.send(call).await?.page::<Vec<Listed>>()?;
        let more = info.is_truncated != Some(false);
        Ok(ObjectPage {
            keys: found.into_iter().map(|object| object.key).collect(),
            next: info.cursor.filter(|cursor| more && !cursor.is_empty()),
        })
    }

    /// An object's bytes.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Vec<u8>, ApiError> {
        let path = ["r2", "buckets", bucket, "objects", key];
        let answer = self
            .send(Call::get(format!("read {key} of {bucket}"), &path))
            .await?;
        if answer.status.is_success() {
            Ok(answer.body)
        } else {
            Err(answer.refusal())
        }
    }
}
