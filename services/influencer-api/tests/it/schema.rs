//! The schema of another release.

use crate::support::Api;
use std::time::{Duration, Instant};

async fn is_ready(api: &Api) -> bool {
    api.get("/ready", "").await.status() == 200
}

#[tokio::test]
async fn a_release_that_is_rolled_back_to_runs_on_the_schema_of_the_one_before_and_migrating_with_it_changes_nothing()
 {
    let api = Api::new().await;
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29991231_000001_of_a_later_release', 0)";
    api.as_owner(later).await;
    assert!(is_ready(&api).await);
    let user = api.user().await;
    assert_eq!(api.get("/me", &user.token).await.status(), 200);
    let none: [&str; 0] = [];
    assert_eq!(migrations::up(&api.owner_url()).await.unwrap(), none);
}

#[tokio::test]
async fn a_release_is_not_ready_before_its_schema_is_there() {
    let api = Api::new().await;
    assert!(is_ready(&api).await);
    let earlier =
        "DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)";
    api.as_owner(earlier).await;
    // An answer is kept for a moment, whoever asks.
    let deadline = Instant::now() + Duration::from_secs(20);
    while is_ready(&api).await {
        assert!(Instant::now() < deadline, "ready without its schema");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
