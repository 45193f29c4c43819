//! An owner that is killed leaves nothing behind.

use crate::{folder, sleeper};
use stack::{Identity, Process, Reaper, poll_until};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const ROLE: &str = "TWIST_TEST_OWNER_FOLDER";

#[test]
fn an_owner_killed_with_nine_leaves_no_process_and_no_folder() {
    // The test runs itself a second time, as the owner.
    match std::env::var(ROLE) {
        Ok(folder) => own(Path::new(&folder)),
        Err(_) => kill_the_owner(),
    }
}

fn own(folder: &Path) {
    let reaper = Reaper::start().unwrap();
    reaper.remove_folder(folder);
    let spec = sleeper(folder, "exec sleep 1000");
    let mut gone = Process::start(spec.clone(), Some(&reaper)).unwrap();
    gone.kill();
    let child = Process::start(spec, Some(&reaper)).unwrap();
    println!("child {}", child.pid());
    std::thread::sleep(Duration::from_mins(1));
}

fn kill_the_owner() {
    let folder = folder();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([
            "reaper::an_owner_killed_with_nine_leaves_no_process_and_no_folder",
            "--exact",
            "--nocapture",
        ])
        .env(ROLE, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = BufReader::new(owner.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("child ")?.1.parse().ok())
        .unwrap();
    let child = Identity::of(pid).unwrap();
    assert!(child.is_alive());
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(poll_until(Duration::from_secs(10), || !child.is_alive()));
    assert!(poll_until(Duration::from_secs(10), || {
        !folder.path().exists()
    }));
}
