//! Into the bucket, where nothing is ever replaced.

use worker::{Bucket, Conditional, Data};

/// How a put has ended, when it reached the bucket.
pub(crate) enum Put {
    /// The object is there, with these bytes.
    Stored,
    /// There was another one under the key, and it still is.
    Other(Vec<u8>),
}

/// Stores an object unless there is one. The same one again is stored: an answer may have been lost.
pub(crate) async fn put(bucket: &Bucket, key: &str, body: &str) -> worker::Result<Put> {
    let absent = Conditional {
        etag_does_not_match: Some("*".to_owned()),
        ..Conditional::default()
    };
    let stored = bucket
        .put(key, Data::Text(body.to_owned()))
        .only_if(absent)
        .execute()
        .await?;
    if stored.is_some() {
        return Ok(Put::Stored);
    }
    let there = bucket.get(key).execute().await?;
    let there = match there.as_ref().and_then(worker::Object::body) {
        Some(body) => body.bytes().await?,
        None => {
            return Err(worker::Error::RustError(
                "the object is gone again".to_owned(),
            ));
        }
    };
    Ok(if there == body.as_bytes() {
        Put::Stored
    } else {
        Put::Other(there)
    })
}
