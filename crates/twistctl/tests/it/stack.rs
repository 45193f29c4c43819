//! `--stack`: programs that run on this machine.

use crate::kit::http::{fixed, version};
use crate::kit::release::{flip, put};
use crate::kit::{Answer, Release, answer, twistctl};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends the process with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A release whose auth-service is a program of this machine that can really run.
fn release() -> Release {
    Release::with(|dist| {
        let program = dist.join("auth-service/bin/auth-service");
        fs::copy(stack::binaries::on_path("bash").unwrap(), program).unwrap();
    })
}

fn start(program: &Path) -> Running {
    // Waits for a line that never comes.
    let mut command = Command::new(program);
    command.args(["-c", "read line"]).stdin(Stdio::piped());
    Running(command.spawn().unwrap())
}

/// What `up` leaves behind about its processes.
fn record(release: &Release, auth: &Running, url: &str, bundle: &Path) {
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let identity = stack::Identity::of(auth.0.id()).unwrap();
    let running = json!({ "identity": identity, "build": "" });
    let record = json!({
        "ports": {
            "postgres": 1, "redis": 1, "auth": port, "authOps": 1, "api": 1, "apiOps": 1,
            "settlement": 1, "settlementOps": 1, "edge": 1,
        },
        "owner": null,
        "parts": { "auth": running, "edge": running },
    });
    let state = release.home().join("state");
    put(&state, "status.json", record.to_string().as_bytes(), false);
    let front = release.dist().join("edge-security-worker");
    let workers = json!({
        "security-worker": { "bundleDir": front },
        "vau-processor": { "bundleDir": bundle },
    });
    let config = json!({ "workers": workers }).to_string();
    put(&state, "edge/config.json", config.as_bytes(), false);
    let checkout = release.home().join("checkout");
    put(&checkout, "Cargo.lock", b"", false);
    put(&checkout, "crates/twistctl/Cargo.toml", b"", false);
}

fn verify(release: &Release, args: &[&str]) -> Answer {
    let mut command = twistctl(release.home());
    command
        .env("TWIST_ROOT", release.home().join("checkout"))
        .args(["verify", "--json", "--manifest", "release.json", "--stack"])
        .args(args);
    answer(command)
}

const OURS: [&str; 6] = [
    "--artifact",
    "auth-service",
    "--artifact",
    "edge-security-worker",
    "--artifact",
    "edge-vau-processor",
];

fn url_of(program: &Path) -> String {
    let bytes = fs::read(program).unwrap();
    fixed("200 OK", &version("auth-service", &bytes).to_string())
}

fn program(release: &Release) -> PathBuf {
    release.dist().join("auth-service/bin/auth-service")
}

#[test]
fn what_runs_is_read_from_the_process_also_when_the_file_is_gone() {
    let release = release();
    let copy = release.home().join("runs");
    fs::copy(program(&release), &copy).unwrap();
    let auth = start(&copy);
    let bundle = release.dist().join("edge-vau-processor");
    record(&release, &auth, &url_of(&copy), &bundle);
    fs::remove_file(&copy).unwrap();
    let answer = verify(&release, &OURS);
    assert_eq!(answer.code, 0, "{answer:?}");
    let json = answer.json();
    let evidence: Vec<&str> = json["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["evidence"].as_str().unwrap())
        .collect();
    assert_eq!(
        evidence,
        [
            "recomputed from bytes",
            "reported by the service itself",
            "recomputed from bytes",
            "recomputed from bytes"
        ]
    );
}

#[test]
fn a_service_that_lies_about_itself_is_caught_on_its_machine() {
    let release = release();
    let copy = release.home().join("runs");
    fs::copy(program(&release), &copy).unwrap();
    // The last byte, so that it still runs.
    let last = fs::metadata(&copy).unwrap().len() - 1;
    flip(&copy, usize::try_from(last).unwrap(), 0);
    let auth = start(&copy);
    let good = program(&release);
    record(
        &release,
        &auth,
        &url_of(&good),
        &release.dist().join("edge-vau-processor"),
    );
    let reference = release.good().display().to_string();
    let args = [&OURS[..], &["--reference", &reference]].concat();
    let answer = verify(&release, &args);
    assert_eq!(answer.code, 1, "{answer:?}");
    let row = answer.row("auth-service");
    assert_eq!(row["difference"]["file"], "bin/auth-service");
    assert_eq!(row["difference"]["offset"]["at"], last);
    assert_eq!(
        answer.json()["rows"][1]["verdict"],
        "match",
        "what it says of itself"
    );
}

#[test]
fn a_changed_bundle_is_named_by_file_and_byte() {
    let release = release();
    let auth = start(&program(&release));
    let bundle = release.home().join("bundle");
    let good = release.dist().join("edge-vau-processor");
    put(
        &bundle,
        "index.js",
        &fs::read(good.join("index.js")).unwrap(),
        false,
    );
    put(
        &bundle,
        "index_bg.wasm",
        &fs::read(good.join("index_bg.wasm")).unwrap(),
        false,
    );
    record(&release, &auth, &url_of(&program(&release)), &bundle);
    assert_eq!(verify(&release, &OURS).code, 0);
    put(&bundle, ".inputs", b"", false);
    let extra = verify(&release, &OURS);
    assert_eq!(
        extra.code, 1,
        "it runs from a folder of its own, with two files in it"
    );
    assert_eq!(
        extra.row("edge-vau-processor")["difference"]["file"],
        ".inputs"
    );
    fs::remove_file(bundle.join(".inputs")).unwrap();
    flip(&bundle.join("index_bg.wasm"), 69_999, 1);
    let reference = release.good().display().to_string();
    let args = [&OURS[..], &["--reference", &reference]].concat();
    let answer = verify(&release, &args);
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.row("edge-vau-processor")["difference"]["offset"]["at"],
        69_999
    );
}

#[test]
fn what_does_not_run_was_not_checked() {
    let release = release();
    // No checkout, no record.
    let mut command = twistctl(release.home());
    command.args(["verify", "--json", "--manifest", "release.json", "--stack"]);
    let none = answer(command);
    assert_eq!(none.code, 5);
    assert!(none.stdout.contains("not inside a checkout"), "{none:?}");
    // A record of a process that has ended.
    let auth = start(&program(&release));
    record(&release, &auth, "http://127.0.0.1:1", &release.dist());
    drop(auth);
    let ended = verify(&release, &[]);
    assert_eq!(ended.code, 5);
    let json = ended.json();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    for row in rows {
        assert!(
            row["reason"].as_str().unwrap().contains("is not running"),
            "{row}"
        );
    }
}
