//! Cloudflare refuses, is busy, fails, or hands out something else.

use crate::kit::cloudflare::Fault;
use crate::kit::edge::{Edge, SECURITY, VAU, push};

fn fault(method: &'static str, path_end: String, times: u32, status: u16) -> Fault {
    Fault {
        method,
        path_end,
        times,
        status,
        retry_after: None,
        done: false,
    }
}

#[test]
fn an_expired_token_is_a_sentence_and_not_a_retry() {
    let edge = Edge::new();
    edge.cloudflare.state().expired = true;
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stderr
            .contains("does not take the token (401: Authentication error)"),
        "{answer:?}"
    );
    assert!(answer.stderr.contains("CLOUDFLARE_API_TOKEN"), "{answer:?}");
    assert_eq!(edge.cloudflare.state().log.len(), 1);
}

#[test]
fn too_many_requests_are_waited_out_as_long_as_is_asked() {
    let edge = Edge::new();
    let mut busy = fault("PUT", VAU.into(), 2, 429);
    busy.retry_after = Some(1);
    edge.cloudflare.fault(busy);
    let started = std::time::Instant::now();
    edge.published();
    assert!(started.elapsed().as_secs() >= 2);
    assert_eq!(edge.cloudflare.count("PUT", VAU), 3);
}

#[test]
fn nobody_waits_for_an_hour() {
    let edge = Edge::new();
    let mut busy = fault("GET", "/workers/scripts".into(), 9, 429);
    busy.retry_after = Some(3600);
    edge.cloudflare.fault(busy);
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("try again in 3600 s"), "{answer:?}");
}

#[test]
fn a_fault_of_cloudflares_is_asked_about_again_only_where_that_is_safe() {
    let edge = Edge::new();
    edge.cloudflare
        .fault(fault("GET", "/workers/scripts".into(), 2, 503));
    edge.cloudflare.fault(fault("PUT", VAU.into(), 1, 502));
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert_eq!(edge.cloudflare.count("GET", "/workers/scripts"), 3);
    assert_eq!(edge.cloudflare.count("PUT", VAU), 1);
    assert!(
        answer.stderr.contains("give the same command again"),
        "{answer:?}"
    );
    edge.published();
}

#[test]
fn an_upload_whose_answer_got_lost_is_not_done_twice() {
    let edge = Edge::new();
    let mut lost = fault("PUT", VAU.into(), 1, 504);
    lost.done = true;
    edge.cloudflare.fault(lost);
    assert_eq!(edge.publish(&[]).code, 1);
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer.stdout.contains(&format!("{VAU}: has this bundle")),
        "{answer:?}"
    );
    assert_eq!(edge.cloudflare.state().scripts[VAU].versions.len(), 1);
}

#[test]
fn a_version_that_was_not_deployed_yet_is_found_again() {
    let edge = Edge::new();
    edge.published();
    edge.build("edge-vau-processor", 7);
    edge.cloudflare
        .fault(fault("POST", format!("{VAU}/deployments"), 9, 500));
    assert_eq!(edge.publish(&[]).code, 1);
    edge.cloudflare.state().faults.clear();
    edge.published();
    assert_eq!(edge.cloudflare.state().scripts[VAU].versions.len(), 2);
}

#[test]
fn what_broke_between_the_two_scripts_is_repaired_by_the_same_command() {
    let edge = Edge::new();
    edge.cloudflare.fault(fault("PUT", SECURITY.into(), 1, 500));
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stderr
            .contains(&format!("not published: {SECURITY}")),
        "{answer:?}"
    );
    assert!(edge.cloudflare.state().scripts.contains_key(VAU));
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(edge.cloudflare.count("PUT", VAU), 1);
    assert_eq!(edge.shares(SECURITY).len(), 1);

    // The same with versions.
    edge.build("edge-vau-processor", 7);
    edge.build("edge-security-worker", 8);
    edge.cloudflare
        .fault(fault("POST", format!("{SECURITY}/versions"), 1, 500));
    assert_eq!(edge.publish(&[]).code, 1);
    edge.published();
    let status = edge.edge(&["status", "--environment", "staging", "--bundles", "dist"]);
    assert_eq!(status.code, 0, "{status:?}");
}

#[test]
fn a_flipped_bit_keeps_a_version_from_getting_requests() {
    let edge = Edge::new();
    edge.published();
    let old = edge.shares(VAU);
    edge.build("edge-vau-processor", 7);
    // What is handed out is wrong from the start: the deployment fails once, then the bit flips.
    edge.cloudflare
        .fault(fault("POST", format!("{VAU}/deployments"), 9, 500));
    edge.publish(&[]);
    edge.cloudflare.state().faults.clear();
    edge.cloudflare
        .state()
        .scripts
        .get_mut(VAU)
        .unwrap()
        .flip("index_bg.wasm", 69_999);
    // It is no longer taken for this bundle, and another version is made.
    edge.published();
    assert_ne!(edge.shares(VAU), old);
    assert_eq!(edge.cloudflare.state().scripts[VAU].versions.len(), 3);
}

#[test]
fn a_bit_that_flips_on_the_way_is_found_before_a_request_is_served() {
    let edge = Edge::new();
    edge.published();
    let old = edge.shares(VAU);
    edge.build("edge-vau-processor", 7);
    edge.cloudflare.state().flips = true;
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stderr
            .contains("read back is not what was published: index_bg.wasm differs at byte 0"),
        "{answer:?}"
    );
    assert_eq!(edge.shares(VAU), old, "nothing was deployed");
}

#[test]
fn a_script_that_is_published_at_once_is_compared_as_well() {
    let edge = Edge::new();
    edge.cloudflare.state().flips = true;
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.stderr.contains("it has the requests already"),
        "{answer:?}"
    );
    assert!(
        answer
            .stderr
            .contains(&format!("not published: {VAU}, {SECURITY}")),
        "{answer:?}"
    );
    edge.cloudflare.state().flips = false;
    edge.published();
}

#[test]
fn a_migration_by_somebody_else_in_between_is_told_apart() {
    let edge = Edge::new();
    edge.published();
    let mut list = crate::kit::edge::bindings();
    push(
        &mut list["migrations"],
        serde_json::json!({ "tag": "v2", "newSqliteClasses": ["RateLimiter"] }),
    );
    edge.write_bindings(&list);
    edge.build("edge-vau-processor", 7);
    edge.cloudflare.state().overtaken = Some("v2".into());
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.stderr.contains(
            "Migration tag precondition failed; current tag is v2 (code 10079); somebody migrated"
        ),
        "{answer:?}"
    );
}

#[test]
fn nobody_there_is_a_sentence() {
    let edge = Edge::new();
    let answer = edge.edge(&[
        "status",
        "--environment",
        "staging",
        "--api-url",
        "http://127.0.0.1:9/",
    ]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("cannot be reached"), "{answer:?}");
    let answer = edge.edge(&[
        "status",
        "--environment",
        "staging",
        "--api-url",
        "http://api.example.org/",
    ]);
    assert!(answer.stderr.contains("not encrypted"), "{answer:?}");
}
