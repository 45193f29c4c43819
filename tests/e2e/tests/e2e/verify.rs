//! `verify` on what really runs: it says yes to the artifacts that were built, and no to any other.

use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use twistctl::Paths;
use twistctl::build::build;

struct Twist {
    program: PathBuf,
    state: PathBuf,
}

impl Twist {
    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        Command::new(&self.program)
            .args(args)
            .env("TWIST_STATE_DIR", &self.state)
            .output()
            .unwrap()
    }

    fn succeeds<'a>(&self, args: impl IntoIterator<Item = &'a str>) {
        let output = self.run(args);
        assert!(output.status.success(), "{}", text(&output));
    }

    fn url(&self, component: &str) -> String {
        let output = self.run(["status", "--json"]);
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        let url = &status["components"][component]["url"];
        url.as_str().unwrap().to_owned()
    }
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// Flips one bit inside of the first occurrence of `text`, which the program shows and does not run. Returns where.
fn flip_inside(file: &Path, text: &str) -> usize {
    let mut bytes = fs::read(file).unwrap();
    let start = bytes
        .windows(text.len())
        .position(|window| window == text.as_bytes())
        .unwrap();
    bytes[start + 1] ^= 1;
    fs::write(file, bytes).unwrap();
    start + 1
}

/// The rows of `--json` that are not "match", and the exit code.
fn verdict(output: &Output) -> (Vec<Value>, Option<i32>) {
    let report = serde_json::from_slice::<Value>(&output.stdout);
    assert!(report.is_ok(), "{}", text(output));
    let report = report.unwrap();
    let rows = report["rows"].as_array().unwrap().clone();
    assert!(!rows.is_empty(), "{report:#}");
    let bad = rows.into_iter().filter(|row| row["verdict"] != "match");
    (bad.collect(), output.status.code())
}

#[test]
fn what_runs_is_what_was_built_and_one_bit_makes_it_another() {
    let paths = Paths::discover().unwrap();
    build(&paths).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user when the tests run as root, and has to get through.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let twist = Twist {
        program: paths.target().join("debug/twistctl"),
        state: folder.path().join("state"),
    };
    let (dist, other) = (place("dist"), place("other"));
    let (manifest, key) = (format!("{dist}/release.json"), place("key.pem"));

    twist.succeeds(["build", "--dev", "--out", &dist]);
    twist.succeeds(["keygen", "--out", &key]);
    let refused = twist.run(["sign", "--manifest", &manifest, "--key", &key]);
    assert!(text(&refused).contains("no release"), "{}", text(&refused));
    twist.succeeds(["sign", "--local", "--manifest", &manifest, "--key", &key]);
    let public = Command::new(&twist.program)
        .args(["keygen", "--out", &place("stranger.pem")])
        .output()
        .unwrap();
    fs::write(place("stranger.pub"), &public.stdout).unwrap();
    let stranger = twist.run([
        "verify",
        "--manifest",
        &manifest,
        "--key",
        &place("stranger.pub"),
    ]);
    assert_eq!(stranger.status.code(), Some(4), "{}", text(&stranger));

    // What was built runs: yes, from its bytes and from what it says of itself.
    twist.succeeds(["up", "--dist", &dist, "--detach"]);
    let services = ["auth", "api", "settlement"].map(|name| twist.url(name));
    let everything = |manifest: &str, dist: &str| {
        let mut asked = vec!["verify", "--json", "--stack"];
        asked.extend(["--manifest", manifest, "--dist", dist]);
        asked.extend(services.iter().flat_map(|url| ["--service", url.as_str()]));
        verdict(&twist.run(asked))
    };
    assert_eq!(everything(&manifest, &dist), (vec![], Some(0)));

    // Another folder that differs in one bit of a program and one of the Worker: no, both are named, with the byte.
    let copied = Command::new("cp").args(["-a", &dist, &other]).status();
    assert!(copied.unwrap().success());
    let program = Path::new(&other).join("auth-service/bin/auth-service");
    let in_program = flip_inside(&program, "Wallet sign-in for TWIST");
    let script = Path::new(&other).join("edge-vau-processor/index.js");
    let in_script = fs::read(&script).unwrap().len();
    fs::write(
        &script,
        [fs::read(&script).unwrap(), b"\n".to_vec()].concat(),
    )
    .unwrap();
    let expected = [
        ("auth-service", "bin/auth-service", in_program),
        ("edge-vau-processor", "index.js", in_script),
    ];
    let (bad, code) = everything(&manifest, &other);
    assert_eq!((bad.len(), code), (2, Some(1)), "{bad:#?}");
    for (row, (artifact, file, at)) in bad.iter().zip(&expected) {
        assert_eq!(row["artifact"], *artifact, "{row:#}");
        assert_eq!(row["verdict"], "differs", "{row:#}");
        assert_eq!(row["difference"]["file"], *file, "{row:#}");
        assert_eq!(row["difference"]["offset"]["at"], *at, "{row:#}");
    }

    // The other one runs: the same answers for the processes themselves.
    fs::remove_file(Path::new(&other).join("release.json.sig")).unwrap();
    twist.succeeds(["up", "--dist", &other, "--detach"]);
    let (bad, code) = everything(&manifest, &dist);
    assert_eq!(code, Some(1), "{bad:#?}");
    let named = |artifact: &str, leg: &str| {
        bad.iter()
            .any(|row| row["artifact"] == artifact && row["leg"] == leg)
    };
    assert!(
        named("auth-service", "stack") && named("auth-service", "service"),
        "{bad:#?}"
    );
    assert!(named("edge-vau-processor", "stack"), "{bad:#?}");
    assert!(
        !bad.iter().any(|row| row["artifact"] == "influencer-api"),
        "{bad:#?}"
    );
    let of_process = bad
        .iter()
        .find(|row| row["artifact"] == "auth-service" && row["leg"] == "stack")
        .unwrap();
    assert_eq!(
        of_process["difference"]["offset"]["at"], in_program,
        "{of_process:#}"
    );

    twist.succeeds(["ledger", "check"]);
    twist.succeeds(["down"]);
    let (bad, code) = verdict(&twist.run(["verify", "--json", "--manifest", &manifest, "--stack"]));
    assert_eq!(code, Some(5), "{bad:#?}");
}
