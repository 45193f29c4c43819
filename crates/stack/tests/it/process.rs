//! Supervision of one process.

use crate::{folder, sleeper};
use stack::{Identity, Process, StackError};
use std::time::Duration;

#[test]
fn a_process_that_ends_at_once_shows_its_last_words() {
    let folder = folder();
    let spec = sleeper(folder.path(), "echo no such setting: PORTT >&2; exit 3");
    let mut process = Process::start(spec, None).unwrap();
    let error = process
        .wait_ready(Duration::from_secs(10), || false)
        .unwrap_err();
    assert!(matches!(error, StackError::Ended { .. }));
    assert!(error.to_string().contains("no such setting: PORTT"));
}

#[test]
fn a_process_that_ignores_the_signal_is_killed_with_its_children() {
    let folder = folder();
    let spec = sleeper(
        folder.path(),
        "trap '' TERM; sleep 1000 & echo $!; wait; wait",
    );
    let mut process = Process::start(spec, None).unwrap();
    process
        .wait_ready(Duration::from_secs(10), || {
            !stack::last_lines(&folder.path().join("sleeper.log"), 1).is_empty()
        })
        .unwrap();
    let grandchild: u32 = process.log_tail(1).parse().unwrap();
    let grandchild = Identity::of(grandchild).unwrap();
    assert!(!process.stop(Duration::from_millis(100)));
    assert!(stack::poll_until(Duration::from_secs(5), || {
        !grandchild.is_alive()
    }));
}

#[test]
fn a_detached_process_lives_on_and_can_be_stopped_by_its_identity() {
    let folder = folder();
    let process = Process::start(sleeper(folder.path(), "exec sleep 1000"), None).unwrap();
    let identity = process.detach().unwrap();
    assert!(identity.is_alive());
    identity.stop(stack::StopSignal::Term, Duration::from_secs(5));
    assert!(!identity.is_alive());
}
