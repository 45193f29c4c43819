//! The routes of the edge.

use crate::{batch, request};

/// What a route takes as a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// None: whatever is sent is thrown away.
    None,
    /// JSON in UTF-8, not compressed.
    Json,
}

/// What a route is about: rules and limits differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Takes VAUs in.
    Vau,
    /// Answers questions of clients.
    Read,
    /// Health and metrics, asked by machines.
    Ops,
}

impl Class {
    /// A short stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vau => "vau",
            Self::Read => "read",
            Self::Ops => "ops",
        }
    }
}

/// One route.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// The path; a segment in braces stands for any.
    pub path: &'static str,
    /// Its methods, as `Allow` lists them.
    pub allow: &'static str,
    /// What it takes.
    pub body: Body,
    /// What it is about.
    pub class: Class,
}

const BATCH: &str = "/api/v1/vau/batch";
const POST: &str = "POST, OPTIONS";
const GET: &str = "GET, HEAD, OPTIONS";

const ROUTES: [Route; 8] = [
    Route::new("/api/v1/vau", POST, Body::Json, Class::Vau),
    Route::new(BATCH, POST, Body::Json, Class::Vau),
    Route::new("/api/v1/vau/status/{id}", GET, Body::None, Class::Read),
    Route::new("/api/v1/vau/hours", GET, Body::None, Class::Ops),
    Route::new("/api/v1/cohorts", GET, Body::None, Class::Read),
    Route::new("/api/v1/cohorts/{rest*}", GET, Body::None, Class::Read),
    Route::new("/health", GET, Body::None, Class::Ops),
    Route::new("/metrics", GET, Body::None, Class::Ops),
];

impl Route {
    const fn new(path: &'static str, allow: &'static str, body: Body, class: Class) -> Self {
        Self {
            path,
            allow,
            body,
            class,
        }
    }

    /// The longest body it takes, in bytes; the Worker behind says so to whoever sends more.
    pub fn max_bytes(&self) -> usize {
        if self.path == BATCH {
            batch::MAX_BODY_BYTES
        } else {
            request::MAX_BODY_BYTES
        }
    }

    /// Whether it answers this method. Methods are written in capitals, or are others.
    pub fn answers(&self, method: &str) -> bool {
        self.allow.split(", ").any(|allowed| allowed == method)
    }

    fn is_at(&self, path: &str) -> bool {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(any), Some(segment)) if any.starts_with('{') => {
                    if segment.is_empty() {
                        return false;
                    }
                    if any.ends_with("*}") {
                        return given.all(|segment| !segment.is_empty());
                    }
                }
                (Some(wanted), Some(segment)) if wanted == segment => {}
                _ => return false,
            }
        }
    }
}

/// The route at a path, which is compared as it was sent: no route of ours needs an escape, so a path that hides
/// one behind an escape is another path.
pub fn find(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.is_at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_only_resembles_a_route_is_none() {
        for known in [
            "/api/v1/vau",
            "/api/v1/vau/batch",
            "/api/v1/vau/status/0123456789abcdef",
            "/api/v1/cohorts",
            "/api/v1/cohorts/sports/filter",
            "/health",
            "/metrics",
        ] {
            assert!(find(known).is_some(), "{known}");
        }
        for other in [
            "",
            "/",
            "//api/v1/vau",
            "/api/v1/vau/",
            "/api/v1/vau//",
            "/API/v1/vau",
            "/api/v1/%76au",
            "/api/v1/vau/status",
            "/api/v1/vau/status/",
            "/api/v1/vau/status/a/b",
            "/api/v1/cohorts/",
            "/api/v1/cohorts/a//b",
            "/health/live",
            "/internal/v1/vau-batches",
            "/accept",
        ] {
            assert_eq!(find(other), None, "{other}");
        }
    }

    #[test]
    fn a_method_is_answered_only_as_listed() {
        let vau = find("/api/v1/vau").unwrap();
        assert!(vau.answers("POST") && vau.answers("OPTIONS"));
        for other in ["GET", "post", "POST,", "", "TRACE", "CONNECT", "PUT"] {
            assert!(!vau.answers(other), "{other}");
        }
    }
}
