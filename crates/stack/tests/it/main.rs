//! The real servers, started, killed and started again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may stop on the spot, and one of them talks to itself over a pipe"
)]

mod postgres;
mod process;
mod reaper;
mod redis;

use std::path::Path;

/// A folder that PostgreSQL's user can reach too.
fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

fn sleeper(folder: &Path, script: &str) -> stack::Spec {
    stack::Spec {
        name: "sleeper".into(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: vec![],
        folder: None,
        log: folder.join("sleeper.log"),
        user: None,
        stop: stack::StopSignal::Term,
    }
}
