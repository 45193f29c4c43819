//! A watched service.

use crate::contract::document;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use conformance::Watch;
use tower::ServiceExt as _;

fn service(body: &'static str) -> Router {
    let answer = async move || {
        (
            [("content-type", "application/json"), ("x-request-id", "r")],
            body,
        )
    };
    Router::new().route("/things/{id}", get(answer))
}

async fn ask(router: Router) {
    let request = Request::get("/things/a").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_good_answer_is_passed_on_and_not_noted() {
    let watch = Watch::of(&document());
    let good = r#"{"id":"0190b2a4-7d1e-7c3a-9f10-2f6a5b1c8d3e"}"#;
    ask(watch.wrap()(service(good))).await;
    assert_eq!(watch.take(), Vec::<String>::new());
}

#[tokio::test]
#[should_panic(expected = "answers that are not as documented")]
async fn a_test_whose_service_gave_a_broken_answer_fails_although_it_did_not_look() {
    let watch = Watch::of(&document());
    ask(watch.wrap()(service(r#"{"id":7}"#))).await;
}
