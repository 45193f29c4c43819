//! Pages of other origins.

use crate::world::{World, code};
use reqwest::{Method, RequestBuilder};
use service::access::{Routes, Rule};
use service::limit::RateClass;

const PAGE: &str = "https://app.example.org";

async fn served() -> &'static str {
    "served"
}

async fn world(origins: &[&str]) -> World {
    let rule = Rule::public(RateClass::Unlimited);
    let routes = Routes::new().get("/open", rule, served, |op| op);
    World::start_with(routes, Routes::new(), vec![], |setup| {
        setup.http.allowed_origins = origins.iter().map(ToString::to_string).collect();
    })
    .await
}

fn preflight(world: &World, path: &str, origin: &str) -> RequestBuilder {
    world
        .http
        .request(Method::OPTIONS, world.url(path))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization, idempotency-key",
        )
}

#[tokio::test]
async fn a_browser_learns_what_an_allowed_page_may_send_and_remembers_it() {
    let world = world(&["https://other.example.org", PAGE]).await;
    for path in ["/open", "/nowhere", "/api/v1/open"] {
        let answer = preflight(&world, path, PAGE).send().await.unwrap();
        assert_eq!(answer.status(), 204, "{path}");
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], PAGE);
        assert_eq!(headers["access-control-allow-credentials"], "true");
        assert_eq!(headers["access-control-max-age"], "86400");
        assert_eq!(headers["vary"], "Origin");
        let methods = headers["access-control-allow-methods"].to_str().unwrap();
        assert!(methods.contains("DELETE") && methods.contains("PATCH"));
        let allowed = headers["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .to_lowercase();
        for name in [
            "authorization",
            "content-type",
            "idempotency-key",
            "x-request-id",
        ] {
            assert!(allowed.contains(name), "{allowed}");
        }
    }
    assert_eq!(
        code(preflight(&world, "/open", "https://stranger.example.org")).await,
        "request.origin_refused"
    );
    // Not a preflight, so not ours to answer.
    let options = world
        .http
        .request(Method::OPTIONS, world.url("/open"))
        .header("origin", PAGE);
    assert_eq!(code(options).await, "request.method_not_allowed");
}

#[tokio::test]
async fn without_a_list_every_page_is_refused_but_the_services_own_and_what_is_no_page() {
    let world = world(&[]).await;
    assert_eq!(
        code(world.get("/open").header("origin", PAGE)).await,
        "request.origin_refused"
    );
    assert_eq!(
        code(preflight(&world, "/open", PAGE)).await,
        "request.origin_refused"
    );
    let own = format!("http://{}", world.running.public);
    for request in [world.get("/open"), world.get("/open").header("origin", own)] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("access-control-allow-origin"));
        assert_eq!(answer.headers()["vary"], "Origin");
    }
}
