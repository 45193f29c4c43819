//! The commands as a person types them.

use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use twistctl::Paths;
use twistctl::build::build;

fn twist(program: &Path, state: &Path, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .env("TWIST_STATE_DIR", state)
        .output()
        .unwrap()
}

fn status(program: &Path, state: &Path) -> (bool, Value) {
    let output = twist(program, state, &["status", "--json"]);
    let value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.success(), value)
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn up_twice_is_up_once_and_down_ends_it() {
    let paths = Paths::discover().unwrap();
    build(&paths).unwrap();
    let program = paths.target().join("debug/twistctl");
    let folder = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user when the tests run as root, and has to get through.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
    let state = folder.path().join("state");

    let (ok, nothing) = status(&program, &state);
    assert!(!ok && nothing["components"].as_object().unwrap().is_empty());

    let up = twist(&program, &state, &["up", "--detach"]);
    assert!(up.status.success(), "{}", text(&up));
    assert!(text(&up).contains("demo wallet"), "{}", text(&up));
    let (ok, first) = status(&program, &state);
    assert!(ok, "{first:#}");
    for name in ["auth", "api", "settlement", "edge"] {
        let component = &first["components"][name];
        assert!(
            component["url"]
                .as_str()
                .unwrap()
                .starts_with("http://127.0.0.1:")
        );
        assert_eq!(component["ready"], true, "{name}");
    }

    // One part dies: the second `up` starts that one and keeps the others.
    let pid = first["components"]["api"]["pid"].to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap()
            .success()
    );
    let again = twist(&program, &state, &["up", "--detach"]);
    assert!(again.status.success(), "{}", text(&again));
    let (_, second) = status(&program, &state);
    assert_ne!(
        second["components"]["api"]["pid"],
        first["components"]["api"]["pid"]
    );
    for name in ["auth", "settlement", "edge"] {
        assert_eq!(second["components"][name], first["components"][name]);
    }
    assert_eq!(second["database"], first["database"]);

    let check = twist(&program, &state, &["ledger", "check"]);
    assert!(check.status.success(), "{}", text(&check));
    let down = twist(&program, &state, &["down"]);
    assert!(
        down.status.success() && text(&down).contains("stopped"),
        "{}",
        text(&down)
    );
    let (ok, gone) = status(&program, &state);
    assert!(!ok && gone["components"].as_object().unwrap().is_empty());
}
