//! A part of the shared Redis for one test.

use crate::shared::{self, blocking};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty logical database of the shared Redis.
#[derive(Debug)]
pub struct TestRedis {
    /// Its URL.
    pub url: String,
}

impl TestRedis {
    /// Takes one that no other test of this process has; the first in a process starts Redis.
    pub async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        blocking(|| {
            let index = NEXT.fetch_add(1, Ordering::Relaxed);
            Self {
                url: shared::redis().url(index),
            }
        })
        .await
    }
}
