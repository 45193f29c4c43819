//! Ends processes whose owner was killed before it could.
//!
//! The parent-death signal of Linux is tied to the thread that started the child, not to the process,
//! and setting it takes unsafe code. A small shell that reads a pipe does the same for any owner: when
//! the owner is gone, however it went, the pipe ends.

use crate::StackError;
use std::io::{PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

// $1 of a line is the verb; the list holds "signal:pid" words.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT
list=; folder=
while read -r verb rest; do
  case $verb in
    add) list="$list $rest" ;;
    forget) new=; for w in $list; do [ "${w#*:}" = "$rest" ] || new="$new $w"; done; list=$new ;;
    folder) folder=$rest ;;
  esac
done
for w in $list; do kill -s "${w%%:*}" "${w#*:}" 2>/dev/null; done
n=0
while [ $n -lt 50 ]; do
  left=; for w in $list; do kill -0 "${w#*:}" 2>/dev/null && left=1; done
  [ "$left" ] || break
  sleep 0.1; n=$((n + 1))
done
for w in $list; do kill -s KILL -- "-${w#*:}" 2>/dev/null; done
[ -z "$folder" ] || rm -rf -- "$folder"
"#;

/// Watches this process; see the module. Clones are the same watcher.
#[derive(Debug, Clone)]
pub struct Reaper(Arc<Mutex<PipeWriter>>);

impl Reaper {
    /// Starts watching.
    pub fn start() -> Result<Self, StackError> {
        let sh = Path::new("sh");
        let (reader, writer) = std::io::pipe().map_err(StackError::io("make a pipe for", sh))?;
        Command::new(sh)
            .args(["-c", SCRIPT, "twist-reaper"])
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            // Ctrl-C goes to the whole foreground group; this one has to outlive it.
            .process_group(0)
            .spawn()
            .map_err(StackError::io("start", sh))?;
        Ok(Self(Arc::new(Mutex::new(writer))))
    }

    /// Removes this folder when the owner is gone.
    pub fn remove_folder(&self, folder: &Path) {
        self.tell(&format!("folder {}\n", folder.display()));
    }

    pub(crate) fn add(&self, pid: u32, signal: &str) {
        self.tell(&format!("add {signal}:{pid}\n"));
    }

    pub(crate) fn forget(&self, pid: u32) {
        self.tell(&format!("forget {pid}\n"));
    }

    fn tell(&self, line: &str) {
        let mut pipe = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The watcher can only be missing if somebody killed it; then the handles' own drops remain.
        let _ = pipe.write_all(line.as_bytes());
    }
}
