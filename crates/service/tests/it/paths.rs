//! Paths that mean something else to somebody else.

use crate::raw::{exchange, statuses};
use crate::world::World;
use schemars::JsonSchema;
use serde::Deserialize;
use service::access::{Role, Routes, Rule};
use service::extract::Path;
use service::limit::RateClass;

async fn secret() -> &'static str {
    "canary-of-the-handler"
}

#[derive(Deserialize, JsonSchema)]
struct Named {
    name: String,
}

async fn named(Path(path): Path<Named>) -> String {
    format!("named {}", path.name)
}

fn world_routes() -> (Routes, Routes) {
    let public = Routes::new()
        .get(
            "/auth/sessions",
            Rule::user(RateClass::Session),
            secret,
            |op| op,
        )
        .get("/me", Rule::user(RateClass::Read), secret, |op| op)
        .get(
            "/admin/things",
            Rule::role(Role::Admin, RateClass::Operate),
            secret,
            |op| op,
        )
        .get(
            "/things/{name}",
            Rule::public(RateClass::Unlimited),
            named,
            |op| op,
        );
    let internal = Routes::new().get(
        "/internal/v1/x",
        Rule::user(RateClass::Read),
        secret,
        |op| op,
    );
    (public, internal)
}

#[tokio::test]
async fn no_spelling_of_a_path_reaches_a_route_under_another_rule() {
    let (public, internal) = world_routes();
    let world = World::start(public, internal).await;
    for path in [
        "/auth%2fsessions",
        "/auth%2Fsessions",
        "/auth//sessions",
        "//auth/sessions",
        "/auth/sessions/",
        "/auth/./sessions",
        "/./me",
        "/me;x=1",
        "/me/",
        "/me%00",
        "/me%20",
        "/ME",
        "/%6d%65",
        "/me%2e",
        "/x/../me",
        "/x/%2e%2e/me",
        "/api/v1/../internal/v1/x",
        "/api/v1/%2e%2e/internal/v1/x",
        "/api/v1/internal/v1/x",
        "/api/v1/api/v1/me",
        "/api/v1//me",
        "/things/../me",
        "/things/a/../../me",
        "/\\me",
        "/..\\me",
        "/me\u{fe}",
        "/%ff%fe",
        "/%",
        "/%zz",
        "/things/%ff",
        "/things/%00",
        "/things/a%0d%0ab",
        "/../../../../etc/passwd",
        "*",
        "",
        "me",
        "http:///me",
    ] {
        for method in [
            "GET", "HEAD", "POST", "OPTIONS", "DELETE", "TRACE", "CONNECT",
        ] {
            let bytes = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = exchange(world.running.public, bytes.as_bytes()).await;
            let [status] = statuses(&answer)[..] else {
                panic!("{method} {path}: {answer}");
            };
            assert!(!answer.contains("canary"), "{method} {path}: {answer}");
            assert!(
                matches!(status, 400 | 404 | 405),
                "{method} {path}: {answer}"
            );
        }
    }
    // What is the same path for everybody has its rule.
    for path in [
        "/me",
        "/me?x=/../..",
        "/api/v1/me",
        "http://elsewhere/me",
        "http://x:99999/me",
        "/internal/v1/x",
    ] {
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = exchange(world.running.public, bytes.as_bytes()).await;
        assert_eq!(statuses(&answer), [401], "{path}: {answer}");
    }
    let name = world.get("/things/a%2Fb").send().await.unwrap();
    assert_eq!(name.text().await.unwrap(), "named a/b");
}
