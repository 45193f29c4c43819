//! `edge/terraform` with the tool itself, where it is installed: names are worked out, an apply publishes, and what it
//! leaves behind is encrypted.

use crate::edge_terraform::{folder, list, module};
use crate::kit::cloudflare::{ACCOUNT, TOKEN};
use crate::kit::edge::{Edge, VAU};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use twistctl::edge::bindings::Bindings;

/// Terraform or `OpenTofu`, if one is installed; `./twist test infra` says when there is none.
fn tool() -> Option<&'static str> {
    ["tofu", "terraform"].into_iter().find(|tool| {
        let asked = Command::new(tool).arg("version").output();
        asked.is_ok_and(|output| output.status.success())
    })
}

fn terraform(tool: &str, folder: &Path, args: &[&str]) -> String {
    let done = Command::new(tool)
        .args(args)
        .current_dir(folder)
        .env_remove("TF_CLI_CONFIG_FILE")
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1")
        .env("CLOUDFLARE_API_TOKEN", TOKEN)
        .output()
        .unwrap();
    let all = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success(), "{tool} {args:?}: {all}");
    assert!(
        !all.contains(TOKEN) && !all.contains("s3cret"),
        "a secret was shown: {all}"
    );
    String::from_utf8(done.stdout).unwrap()
}

/// The names as the tool itself works them out: that file needs no provider.
#[test]
fn every_queue_bucket_cron_and_route_of_the_list_gets_its_name() {
    let Some(tool) = tool() else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("terraform/environment");
    fs::create_dir_all(&work).unwrap();
    fs::copy(list(), home.path().join("bindings.json")).unwrap();
    for file in ["names.tf", "variables.tf"] {
        fs::copy(folder().join("environment").join(file), work.join(file)).unwrap();
    }
    let names = [
        "scripts",
        "routed",
        "consumers",
        "queues",
        "buckets",
        "lifecycles",
        "namespaces",
        "crons",
        "dead",
    ];
    let mut outputs = String::new();
    for name in names {
        writeln!(
            outputs,
            "output \"{name}\" {{
  value = local.{name}
}}"
        )
        .unwrap();
    }
    fs::write(work.join("outputs.tf"), outputs).unwrap();
    terraform(tool, &work, &["init", "-input=false"]);
    let given = [
        "environment=staging",
        "account_id=a",
        "zone=example.org",
        "host=h",
        "bundles=b",
        "values=v",
    ];
    let mut apply = vec!["apply", "-auto-approve", "-input=false"];
    let given: Vec<String> = given.iter().map(|given| format!("-var={given}")).collect();
    apply.extend(given.iter().map(String::as_str));
    terraform(tool, &work, &apply);
    let said: serde_json::Value =
        serde_json::from_str(&terraform(tool, &work, &["output", "-json"])).unwrap();

    let list = Bindings::load(&list()).unwrap();
    let has = |name: &str, key: &str| {
        said[name]["value"]
            .get(key)
            .is_some_and(|value| !value.is_null())
    };
    for worker in &list.workers {
        let script = format!("{}-staging", worker.name);
        assert_eq!(said["scripts"]["value"][&worker.name], script);
        let routed = said["routed"]["value"]
            .as_array()
            .unwrap()
            .contains(&json!(script));
        assert_eq!(routed, worker.routed, "{script}");
        let crons = said["crons"]["value"]
            .get(&script)
            .cloned()
            .unwrap_or(json!([]));
        assert_eq!(crons, json!(worker.crons), "{script}");
        for queue in &worker.queues {
            assert_eq!(
                said["queues"]["value"][&queue.queue],
                format!("{}-staging", queue.queue)
            );
            if queue.consumer.is_some() {
                assert_eq!(said["consumers"]["value"][&queue.queue]["script"], script);
            }
        }
        for bucket in &worker.r2 {
            assert_eq!(
                said["buckets"]["value"][&bucket.bucket],
                format!("{}-staging", bucket.bucket)
            );
            assert!(has("lifecycles", &bucket.bucket));
        }
        for kv in &worker.kv {
            assert!(has("namespaces", &kv.namespace));
        }
    }
    for (_, dead) in list.dead_letters() {
        assert!(has("queues", dead), "{dead}");
        assert!(
            said["dead"]["value"]
                .as_array()
                .unwrap()
                .contains(&json!(dead)),
            "{dead}"
        );
    }
}

/// The whole way: a plan sees another bundle, runs twistctl, and the script is published.
#[test]
fn an_apply_publishes_what_changed_and_nothing_else() {
    let Some(tool) = tool() else {
        return;
    };
    let edge = Edge::new();
    let work = edge.home().join("publish");
    fs::create_dir_all(&work).unwrap();
    fs::copy(folder().join("publish/main.tf"), work.join("main.tf")).unwrap();
    let at = |name: &str| edge.home().join(name).display().to_string();
    edge.write("publish/run", &format!(
        "#!/bin/sh\nTEST_BACKEND_SECRET=s3cret-of-the-backend CLOUDFLARE_API_BASE_URL={} exec {} \"$@\"\n",
        edge.cloudflare.url,
        env!("CARGO_BIN_EXE_twistctl"),
    ));
    let run = work.join("run");
    fs::set_permissions(&run, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    edge.write(
        "publish/terraform.tfvars.json",
        &json!({
            "account_id": ACCOUNT,
            "bindings": at("bindings.json"),
            "folder": at("dist"),
            "values": at("values.toml"),
            "twistctl": run,
            "bundles": {
                "vau-processor": at("dist/edge-vau-processor"),
                "security-worker": at("dist/edge-security-worker"),
            },
        })
        .to_string(),
    );
    terraform(tool, &work, &["init", "-input=false"]);
    let apply = || {
        terraform(
            tool,
            &work,
            &["apply", "-auto-approve", "-input=false", "-no-color"],
        )
    };
    apply();
    assert_eq!(edge.cloudflare.state().scripts.len(), 2);
    let asked = edge.cloudflare.state().log.len();
    assert!(apply().contains("0 added, 0 changed, 0 destroyed"));
    assert_eq!(
        edge.cloudflare.state().log.len(),
        asked,
        "nothing changed, nobody was asked"
    );
    edge.build("edge-vau-processor", 7);
    apply();
    assert_eq!(edge.cloudflare.state().scripts[VAU].versions.len(), 2);
    let state = fs::read_to_string(work.join("terraform.tfstate")).unwrap();
    assert!(
        !state.contains("s3cret") && !state.contains(TOKEN),
        "no secret is in the state"
    );
}

#[test]
fn state_and_plan_are_encrypted_and_nothing_else_is_accepted() {
    for name in ["environment", "zone"] {
        let text = fs::read_to_string(folder().join(name).join("encryption.tofu")).unwrap();
        assert_eq!(text.matches("enforced = true").count(), 2, "{name}");
        assert!(
            text.contains("method \"aes_gcm\"") && text.contains("key_provider \"pbkdf2\""),
            "{name}"
        );
        let body = module(name);
        let secret = body
            .blocks()
            .filter(|block| block.identifier() == "variable");
        for block in secret.filter(|block| block.labels()[0].as_str().contains("passphrase")) {
            let mut attributes = block.body().attributes();
            assert!(
                attributes.all(|attribute| attribute.key() != "default"),
                "{name}"
            );
        }
    }
}
