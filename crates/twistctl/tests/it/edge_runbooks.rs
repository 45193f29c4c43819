//! What the runbooks say to type does what they say.

use crate::edge_terraform::list;
use crate::kit::backend::{Backend, SECRET, ids, segment, serve_backend};
use crate::kit::cloudflare::{ACCOUNT, StoredMessage, TOKEN};
use crate::kit::edge::Edge;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use twistctl::edge::bindings::{Bindings, deployed};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A command and what it is said to print.
struct Told {
    command: String,
    output: Vec<String>,
}

/// The blocks of a kind.
fn blocks<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let open = format!("```{kind}\n");
    page.split(open.as_str())
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .collect()
}

fn told(page: &str) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for line in blocks(page, "console").into_iter().flat_map(str::lines) {
        if let Some(command) = line.strip_prefix("$ ") {
            all.push(Told {
                command: command.to_owned(),
                output: Vec::new(),
            });
        } else {
            all.last_mut().unwrap().output.push(line.to_owned());
        }
    }
    all
}

/// Whether `line` is `pattern`, in which `…` stands for anything.
fn is(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap()) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        open = true;
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        open &= part.is_empty();
    }
    rest.is_empty() || open
}

fn compare(told: &Told, printed: &str) {
    let lines: Vec<&str> = printed.lines().collect();
    let mut wanted = &told.output[..];
    // A line that is only … stands for any lines before what follows.
    let skip = wanted.first().is_some_and(|line| line == "…");
    if skip {
        wanted = &wanted[1..];
        let from = lines.len().checked_sub(wanted.len()).expect(printed);
        for (pattern, line) in wanted.iter().zip(&lines[from..]) {
            assert!(is(pattern, line), "{}: {pattern}\n{printed}", told.command);
        }
        return;
    }
    assert_eq!(wanted.len(), lines.len(), "{}:\n{printed}", told.command);
    for (pattern, line) in wanted.iter().zip(&lines) {
        assert!(is(pattern, line), "{}: {pattern}\n{printed}", told.command);
    }
}

struct World {
    edge: Edge,
    backend: Arc<Mutex<Backend>>,
    backend_url: String,
}

impl World {
    fn new() -> Self {
        let edge = Edge::new();
        // The repository's own list, and what it needs.
        let list = Bindings::load(&list()).unwrap();
        for worker in &list.workers {
            let queues: Vec<String> = worker
                .queues
                .iter()
                .map(|queue| deployed(&queue.queue, "staging"))
                .collect();
            let buckets: Vec<String> = worker
                .r2
                .iter()
                .map(|bucket| deployed(&bucket.bucket, "staging"))
                .collect();
            let (queues, buckets): (Vec<&str>, Vec<&str>) = (
                queues.iter().map(String::as_str).collect(),
                buckets.iter().map(String::as_str).collect(),
            );
            edge.cloudflare.provide(&queues, &buckets);
        }
        let bin = edge.home().join("bin");
        fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_twistctl"), bin.join("twistctl")).unwrap();
        let (backend, backend_url) = serve_backend();
        Self {
            edge,
            backend,
            backend_url,
        }
    }

    fn run(&self, command: &str) -> String {
        let home = self.edge.home();
        let path = format!(
            "{}:{}",
            home.join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let done = Command::new("sh")
            .args([
                "-c",
                &command.replace("http://127.0.0.1:3003", &self.backend_url),
            ])
            .current_dir(home)
            .env("PATH", path)
            .env("TWIST_ROOT", root())
            .env("TWIST_STATE_DIR", home.join("state"))
            .env("TWIST_CACHE_DIR", home.join("cache"))
            .env("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
            .env("CLOUDFLARE_API_TOKEN", TOKEN)
            .env("CLOUDFLARE_API_BASE_URL", &self.edge.cloudflare.url)
            .env("BACKEND_HMAC_SECRET", SECRET)
            .env("CHALLENGE_SECRET", SECRET)
            .env("TWIST_BACKEND_HMAC_SECRET", SECRET)
            .output()
            .unwrap();
        let out = String::from_utf8(done.stdout).unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.success(), "{command}\n{out}{err}");
        assert!(!format!("{out}{err}").contains(TOKEN));
        out
    }

    /// The manifest of the Worker that is published, without a signature.
    fn write_manifest(&self) {
        let plan = serde_json::json!({
            "version": "0.1.0", "builder": "nix", "system": "x86_64-linux",
            "source": { "revision": crate::kit::release::REVISION, "dirty": false, "locks": {} },
            "toolchain": { "rustc": "1.95.0" }, "inputs": {},
            "artifacts": [{
                "name": "edge-vau-processor", "kind": "worker",
                "path": self.edge.bundles().join("edge-vau-processor"),
            }],
        });
        let input = serde_json::from_value(serde_json::json!({ "plan": plan })).unwrap();
        let manifest = twistctl::artifact::assemble::assemble(input).unwrap();
        fs::write(
            self.edge.home().join("release.json"),
            manifest.to_bytes().unwrap(),
        )
        .unwrap();
    }
}

#[test]
fn publishing_goes_as_the_runbook_says() {
    let page = fs::read_to_string(root().join("docs/runbooks/edge-publish.md")).unwrap();
    let world = World::new();
    let home = world.edge.home().to_owned();
    fs::write(home.join("staging.toml"), blocks(&page, "toml")[0]).unwrap();
    world.run(
        "git init --quiet --bare remote && git init --quiet . && git remote add origin ./remote",
    );
    fs::create_dir_all(home.join("edge/terraform/environment")).unwrap();
    let mut ran = 0;
    for told in told(&page) {
        if told.command.starts_with("tofu ") {
            // Not here; it leaves a state behind.
            let state = r#"{"meta":{},"encrypted_data":"AAAA","encryption_version":"v0"}"#;
            fs::write(
                home.join("edge/terraform/environment/staging.tfstate"),
                state,
            )
            .unwrap();
        } else if told.command == "./twist build" {
            world.edge.build("edge-vau-processor", 11);
            world.edge.build("edge-security-worker", 12);
            world.write_manifest();
        } else if !told.command.starts_with("export ") {
            compare(&told, &world.run(&told.command));
            ran += 1;
        }
    }
    assert_eq!(ran, 11, "commands of the page");
}

#[test]
fn delivering_again_goes_as_the_runbook_says() {
    let page = fs::read_to_string(root().join("docs/runbooks/edge-redeliver.md")).unwrap();
    let world = World::new();
    {
        let mut state = world.edge.cloudflare.state();
        let dead = state.queues.get_mut("vau-segments-dead-staging").unwrap();
        dead.messages = (1..=2)
            .map(|number| StoredMessage::new("text", &segment(number).1))
            .collect();
        let bucket = state.objects.get_mut("twist-audit-logs-staging").unwrap();
        for number in 1..=3 {
            let (id, body) = segment(number);
            let key = format!("edge/segments/shard-0/2026-07-0{number}/{number:012}-{id}.json");
            bucket.insert(key, body.into_bytes());
        }
    }
    let mut ran = 0;
    for told in told(&page) {
        if !told.command.starts_with("export ") {
            compare(&told, &world.run(&told.command));
            ran += 1;
        }
    }
    assert_eq!(ran, 4, "commands of the page");
    assert_eq!(world.backend.lock().unwrap().posts, ids(&[1, 2, 3]));
}

#[test]
fn the_pattern_of_a_page_is_no_pattern_for_everything() {
    assert!(is("version … has 10 %", "version 7 has 10 %"));
    assert!(is("a…", "abc") && is("a", "a"));
    assert!(
        !is("a", "ab")
            && !is("a…c", "abd")
            && !is("version … has 10 %", "version 7 has 10 % and more")
    );
}
