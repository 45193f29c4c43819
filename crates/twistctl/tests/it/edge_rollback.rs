//! The way back, and where there is none.

use crate::kit::edge::{Edge, SECURITY, VAU, bindings, push};
use serde_json::json;

#[test]
fn there_is_no_way_back_across_a_migration_and_it_is_said_what_to_do() {
    let edge = Edge::new();
    edge.published();
    let mut list = bindings();
    push(
        &mut list["migrations"],
        json!({ "tag": "v2", "newSqliteClasses": ["RateLimiter"] }),
    );
    edge.write_bindings(&list);
    edge.build("edge-vau-processor", 7);
    edge.published();
    let answer = edge.edge(&[
        "rollback",
        "--environment",
        "staging",
        "--worker",
        "vau-processor",
    ]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stderr
            .contains("before a migration of the Durable Objects (v1 then, v2 now)"),
        "{answer:?}"
    );
    assert!(
        answer.stderr.contains("revert the change in the code"),
        "{answer:?}"
    );
    assert_eq!(edge.cloudflare.count("POST", "/deployments"), 0);
}

#[test]
fn the_way_back_is_the_version_before_and_is_not_the_way_forth_again() {
    let edge = Edge::new();
    edge.published();
    let first = edge.shares(VAU)[0].0.clone();
    edge.build("edge-vau-processor", 7);
    edge.published();
    let answer = edge.edge(&["rollback", "--environment", "staging"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(edge.shares(VAU), [(first.clone(), 100)]);
    assert!(
        answer
            .stdout
            .contains(&format!("{SECURITY}: no version had all requests before")),
        "{answer:?}"
    );
    let again = edge.edge(&["rollback", "--environment", "staging"]);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("nothing to go back to"));
    assert_eq!(edge.shares(VAU), [(first, 100)]);
}

#[test]
fn a_rollout_that_looks_bad_is_taken_back() {
    let edge = Edge::new();
    edge.published();
    let first = edge.shares(VAU)[0].0.clone();
    edge.build("edge-vau-processor", 7);
    edge.publish(&["--percent", "10", "--worker", "vau-processor"]);
    let answer = edge.edge(&[
        "rollback",
        "--environment",
        "staging",
        "--worker",
        "vau-processor",
    ]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(edge.shares(VAU), [(first, 100)]);
}
