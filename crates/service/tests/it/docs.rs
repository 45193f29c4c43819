//! The page that shows the documentation.

use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::access::Routes;
use sha2::{Digest as _, Sha256};

/// What stands between `<name>` and `</name>`.
fn inside<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<{name}>")).unwrap();
    rest.split_once(&format!("</{name}>")).unwrap().0
}

#[tokio::test]
async fn the_documentation_page_loads_nothing_from_elsewhere_and_its_policy_admits_what_it_is() {
    let world = World::start(Routes::new(), Routes::new()).await;
    let answer = world.get("/docs").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    let page = answer.text().await.unwrap();
    for elsewhere in ["http:", "https:", "src=\"//", "@import", "url(", "src="] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    let links = page
        .split("href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    for link in links {
        assert_eq!(link, "openapi.json");
    }
    for (element, directive) in [("script", "script-src"), ("style", "style-src")] {
        assert_eq!(page.matches(&format!("<{element}")).count(), 1);
        let hash = STANDARD.encode(Sha256::digest(inside(&page, element)));
        assert!(
            policy.contains(&format!("{directive} 'sha256-{hash}'")),
            "{policy}"
        );
    }
    for part in [
        "default-src 'none'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    for hole in ["unsafe", "http", "*", "data:"] {
        assert!(!policy.contains(hole), "{policy}");
    }
    // No attribute is a script or a style, which the policy would refuse.
    for attribute in [
        " onload=",
        " onclick=",
        " style=",
        "javascript:",
        "innerHTML",
    ] {
        assert!(!page.contains(attribute), "{attribute}");
    }
    assert_eq!(
        world.get("/openapi.json").send().await.unwrap().status(),
        200
    );
}
