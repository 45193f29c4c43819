//! Where a test process keeps its servers' data.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use stack::{Identity, Reaper};

const PREFIX: &str = "twist-test-";

struct Home {
    folder: PathBuf,
    reaper: Reaper,
}

/// A new folder of this test process, and the watcher that ends its servers.
pub(crate) fn next(name: &str) -> (PathBuf, Reaper) {
    static HOME: OnceLock<Home> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let home = HOME.get_or_init(make);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = home.folder.join(format!("{name}-{number}"));
    fs::create_dir_all(&folder).expect("make a folder for a server");
    open_to_all(&folder);
    (folder, home.reaper.clone())
}

fn make() -> Home {
    let base = std::env::temp_dir();
    remove_leftovers(&base);
    let me = Identity::of(std::process::id()).expect("read /proc");
    let folder = base.join(format!("{PREFIX}{}-{}", me.pid, me.start_ticks));
    fs::create_dir_all(&folder).expect("make a temporary folder");
    open_to_all(&folder);
    let reaper = Reaper::start().expect("start a shell");
    reaper.remove_folder(&folder);
    Home { folder, reaper }
}

/// PostgreSQL runs as another user when the tests run as root, and has to get through.
fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).expect("set a mode");
}

/// Folders of test processes that were ended together with their watcher, as at a power cut.
fn remove_leftovers(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .and_then(|rest| rest.split_once('-'))
            .and_then(|(pid, ticks)| Some((pid.parse::<u32>().ok()?, ticks.parse::<u64>().ok()?)));
        let Some((pid, ticks)) = owner else { continue };
        let alive = Identity::of(pid).is_some_and(|now| now.start_ticks == ticks);
        // A watcher may still be stopping the servers of an owner that has just gone.
        let fresh = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() < 3600));
        if !alive && !fresh {
            // Another user's folder stays.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
