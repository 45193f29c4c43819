//! What is published is what was built, and every way to another version is known.

use crate::kit::edge::{Edge, SECURITY, VALUES, VAU, bindings, push};
use serde_json::{Value, json};

fn binding(edge: &Edge, script: &str, name: &str) -> Option<Value> {
    let state = edge.cloudflare.state();
    let version = state.scripts[script].versions.last().unwrap().clone();
    version
        .bindings
        .into_iter()
        .find(|binding| binding["name"] == name)
}

#[test]
fn the_first_publication_makes_both_scripts_with_their_bindings() {
    let edge = Edge::new();
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer
            .stdout
            .contains("Durable Objects go from nothing to v1"),
        "{answer:?}"
    );
    assert!(answer.stdout.contains("read back and equal"), "{answer:?}");
    let state = edge.cloudflare.state();
    let puts: Vec<&String> = state
        .log
        .iter()
        .filter(|line| line.starts_with("PUT"))
        .collect();
    assert!(
        puts[0].ends_with(VAU) && puts[1].ends_with(SECURITY),
        "{puts:?}"
    );
    drop(state);
    for (script, name, wanted) in [
        (
            VAU,
            "BACKEND_URL",
            json!({ "type": "plain_text", "text": "https://app.example.org" }),
        ),
        (
            VAU,
            "FLUSH_INTERVAL_MS",
            json!({ "type": "plain_text", "text": "45000" }),
        ),
        (
            VAU,
            "BACKEND_HMAC_SECRET",
            json!({ "type": "secret_text", "text": "s3cret-of-the-backend" }),
        ),
        (
            VAU,
            "INTEGRATOR_KEYS",
            json!({ "type": "secret_text", "text": "{}" }),
        ),
        (
            VAU,
            "VAU_SHARD",
            json!({ "type": "durable_object_namespace", "class_name": "VauShard" }),
        ),
        (
            VAU,
            "VAU_QUEUE",
            json!({ "type": "queue", "queue_name": "vau-segments-staging" }),
        ),
        (
            VAU,
            "ARCHIVE",
            json!({ "type": "r2_bucket", "bucket_name": "edge-archive-staging" }),
        ),
        (
            SECURITY,
            "VAU_SHARD",
            json!({ "type": "durable_object_namespace", "class_name": "VauShard", "script_name": VAU }),
        ),
        (
            SECURITY,
            "VAU_PROCESSOR",
            json!({ "type": "service", "service": VAU }),
        ),
    ] {
        let mut wanted = wanted;
        wanted["name"] = json!(name);
        assert_eq!(
            binding(&edge, script, name),
            Some(wanted),
            "{script} {name}"
        );
    }
    assert_eq!(
        binding(&edge, VAU, "ALLOWED_ORIGINS"),
        None,
        "an empty one is none"
    );
}

#[test]
fn publishing_again_changes_nothing() {
    let edge = Edge::new();
    edge.published();
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer
            .stdout
            .contains("has this bundle for all requests already"),
        "{answer:?}"
    );
    assert_eq!(edge.cloudflare.state().scripts[VAU].versions.len(), 1);
    assert_eq!(edge.cloudflare.count("POST", ""), 0);
}

#[test]
fn a_changed_program_is_a_version_and_keeps_the_secrets() {
    let edge = Edge::new();
    edge.published();
    edge.build("edge-vau-processor", 7);
    edge.published();
    assert_eq!(edge.cloudflare.count("POST", &format!("{VAU}/versions")), 1);
    assert_eq!(
        edge.cloudflare
            .count("POST", &format!("{SECURITY}/versions")),
        0
    );
    let kept = binding(&edge, VAU, "BACKEND_HMAC_SECRET").unwrap();
    assert_eq!(kept["text"], "s3cret-of-the-backend");
}

#[test]
fn a_changed_variable_is_a_version_too() {
    let edge = Edge::new();
    edge.published();
    edge.write(
        "values.toml",
        &VALUES.replace("app.example.org", "app2.example.org"),
    );
    edge.published();
    let binding = binding(&edge, VAU, "BACKEND_URL").unwrap();
    assert_eq!(binding["text"], "https://app2.example.org");
}

#[test]
fn a_tenth_of_the_requests_first_and_then_all_is_one_upload() {
    let edge = Edge::new();
    edge.published();
    let old = edge.shares(VAU)[0].0.clone();
    edge.build("edge-vau-processor", 7);
    let answer = edge.publish(&["--percent", "10", "--worker", "vau-processor"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let new = edge.shares(VAU)[0].0.clone();
    assert_eq!(edge.shares(VAU), [(new.clone(), 10), (old.clone(), 90)]);
    let again = edge.publish(&["--percent", "10", "--worker", "vau-processor"]);
    assert!(again.stdout.contains("already"), "{again:?}");
    assert_eq!(
        edge.publish(&["--percent", "50", "--worker", "vau-processor"])
            .code,
        0
    );
    assert_eq!(edge.shares(VAU), [(new.clone(), 50), (old, 50)]);
    edge.published();
    assert_eq!(edge.shares(VAU), [(new, 100)]);
    assert_eq!(edge.cloudflare.state().scripts[VAU].versions.len(), 2);
}

#[test]
fn another_version_in_the_middle_of_a_rollout_stands_beside_the_stable_one() {
    let edge = Edge::new();
    edge.published();
    let stable = edge.shares(VAU)[0].0.clone();
    for seed in [7, 8] {
        edge.build("edge-vau-processor", seed);
        assert_eq!(
            edge.publish(&["--percent", "10", "--worker", "vau-processor"])
                .code,
            0
        );
    }
    assert_eq!(edge.shares(VAU)[1], (stable, 90));
}

#[test]
fn a_migration_goes_to_all_requests_or_not_at_all() {
    let edge = Edge::new();
    edge.published();
    let mut list = bindings();
    push(
        &mut list["migrations"],
        json!({ "tag": "v2", "newSqliteClasses": ["RateLimiter", "AuditLog"] }),
    );
    push(
        &mut list["workers"][1]["durableObjects"],
        json!({ "binding": "AUDIT_LOG", "class": "AuditLog" }),
    );
    edge.write_bindings(&list);
    edge.build("edge-vau-processor", 7);
    let before = edge.cloudflare.state().log.len();
    let answer = edge.publish(&["--percent", "10"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.stderr.contains("publish it without --percent"),
        "{answer:?}"
    );
    let asked = edge.cloudflare.state().log[before..].to_vec();
    assert!(
        asked.iter().all(|line| line.starts_with("GET")),
        "{asked:?}"
    );

    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("go from v1 to v2"), "{answer:?}");
    let state = edge.cloudflare.state();
    assert_eq!(state.scripts[VAU].tag.as_deref(), Some("v2"));
    assert!(state.scripts[VAU].classes.contains("AuditLog"));
}

#[test]
fn a_checkout_that_is_older_than_the_objects_is_refused() {
    let edge = Edge::new();
    edge.published();
    edge.cloudflare.state().scripts.get_mut(VAU).unwrap().tag = Some("v9".into());
    let answer = edge.publish(&[]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("are at v9"), "{answer:?}");
}

#[test]
fn the_status_is_read_out_of_what_is_deployed() {
    let edge = Edge::new();
    let nothing = edge.edge(&["status", "--environment", "staging"]);
    assert!(
        nothing
            .stdout
            .contains("vau-processor-staging: not published"),
        "{nothing:?}"
    );
    edge.published();
    let good = edge.edge(&["status", "--environment", "staging", "--bundles", "dist"]);
    assert_eq!(good.code, 0, "{good:?}");
    assert!(good.stdout.contains("objects at v1"), "{good:?}");
    edge.build("edge-vau-processor", 7);
    edge.publish(&["--percent", "10", "--worker", "vau-processor"]);
    let json = edge.edge(&[
        "status",
        "--environment",
        "staging",
        "--bundles",
        "dist",
        "--json",
    ]);
    assert_eq!(json.code, 1, "{json:?}");
    let json = json.json();
    assert_eq!(json[0]["versions"][0]["percentage"], 10);
    assert_eq!(json[0]["versions"][0]["isBundle"], true);
    assert_eq!(json[0]["versions"][1]["isBundle"], false);
    let hash = json[0]["versions"][0]["narHash"].as_str().unwrap();
    assert!(hash.starts_with("sha256-"), "{hash}");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_changes_nothing() {
    let edge = Edge::new();
    let answer = edge.publish(&["--dry-run"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("the first version"), "{answer:?}");
    assert!(edge.cloudflare.state().scripts.is_empty());
}

#[test]
fn what_is_missing_is_found_before_anything_is_changed() {
    let edge = Edge::new();
    let refused = |answer: crate::kit::Answer, why: &str| {
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.stderr.contains(why), "{why}: {answer:?}");
        assert!(edge.cloudflare.state().scripts.is_empty(), "{why}");
    };
    for (values, why) in [
        (
            VALUES.replace("BACKEND_URL", "BACKEND_URI"),
            "has no variable BACKEND_URI",
        ),
        (
            VALUES.replace("https://app.example.org", ""),
            "needs the variable BACKEND_URL",
        ),
        (
            VALUES.replace("TEST_BACKEND_SECRET", "NOT_SET_ANYWHERE"),
            "which is not set",
        ),
        (
            VALUES.replace("BACKEND_HMAC_SECRET =", "INTEGRATOR_KEYS ="),
            "does not have the secret BACKEND_HMAC_SECRET",
        ),
        (
            VALUES.replace("vau-processor", "vau"),
            "there is no worker vau",
        ),
        (
            VALUES.replace("staging", "Staging!"),
            "no name of an environment",
        ),
        (
            VALUES.replace("{ env = \"TEST_BACKEND_SECRET\" }", "\"s3cret\""),
            "a secret is given as",
        ),
    ] {
        edge.write("values.toml", &values);
        refused(edge.publish(&[]), why);
    }
    edge.write("values.toml", VALUES);
    refused(edge.publish(&["--percent", "10"]), "was never published");
    refused(
        edge.publish(&["--worker", "security-worker"]),
        "give the command without --worker",
    );
    std::fs::remove_file(edge.bundles().join("edge-security-worker/index_bg.wasm")).unwrap();
    refused(edge.publish(&[]), "there is no index_bg.wasm");
}
