//! One supervised child process with a log file.

use crate::{Identity, OrdinaryUser, Reaper, StackError, last_lines_since, poll_until};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LOG_AT_MOST: u64 = 16 * 1024 * 1024;
const SHOWN_LINES: usize = 15;

/// How a process is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// What most servers expect.
    Term,
    /// PostgreSQL's fast shutdown: it does not wait for its clients.
    Int,
    /// PostgreSQL's immediate shutdown, for clusters that are thrown away.
    Quit,
}

impl From<StopSignal> for Signal {
    fn from(signal: StopSignal) -> Self {
        match signal {
            StopSignal::Term => Self::SIGTERM,
            StopSignal::Int => Self::SIGINT,
            StopSignal::Quit => Self::SIGQUIT,
        }
    }
}

impl StopSignal {
    const fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Int => "INT",
            Self::Quit => "QUIT",
        }
    }
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Spec {
    /// For people: `auth`, `postgres`, …
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Added to the caller's environment.
    pub env: Vec<(String, String)>,
    /// Where it starts; the caller's folder if `None`.
    pub folder: Option<PathBuf>,
    /// Gets what it prints, appended.
    pub log: PathBuf,
    /// Who it runs as, when the caller is root.
    pub user: Option<OrdinaryUser>,
    /// How it is asked to stop.
    pub stop: StopSignal,
}

/// A running (or ended) child. Dropping it stops it.
#[derive(Debug)]
pub struct Process {
    spec: Spec,
    child: Child,
    log_mark: u64,
    reaper: Option<Reaper>,
    detached: bool,
}

impl Process {
    /// Starts it, in a process group of its own. With a `reaper` it also ends when the caller is killed.
    pub fn start(spec: Spec, reaper: Option<&Reaper>) -> Result<Self, StackError> {
        let (child, log_mark) = spawn(&spec)?;
        if let Some(reaper) = reaper {
            reaper.add(child.id(), spec.stop.name());
        }
        Ok(Self {
            spec,
            child,
            log_mark,
            reaper: reaper.cloned(),
            detached: false,
        })
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `probe` says yes; fails as soon as the process ends.
    pub fn wait_ready(
        &mut self,
        patience: Duration,
        mut probe: impl FnMut() -> bool,
    ) -> Result<(), StackError> {
        let mut ended = None;
        let ready = poll_until(patience, || match self.child.try_wait() {
            Ok(None) => probe(),
            Ok(Some(status)) => {
                ended = Some(status.to_string());
                true
            }
            Err(error) => {
                ended = Some(error.to_string());
                true
            }
        });
        match (ended, ready) {
            (Some(status), _) => Err(StackError::Ended {
                name: self.spec.name.clone(),
                status,
                log: self.log_tail(SHOWN_LINES),
            }),
            (None, true) => Ok(()),
            (None, false) => Err(StackError::NotReady {
                name: self.spec.name.clone(),
                seconds: patience.as_secs(),
                log: self.log_tail(SHOWN_LINES),
            }),
        }
    }

    /// The last `lines` lines that this run wrote.
    pub fn log_tail(&self, lines: usize) -> String {
        last_lines_since(&self.spec.log, self.log_mark, lines)
    }

    /// Asks it to stop; kills it when `grace` has passed. Returns whether it went by itself.
    pub fn stop(&mut self, grace: Duration) -> bool {
        if !self.is_running() {
            self.forget();
            return true;
        }
        self.signal(self.spec.stop.into(), false);
        let went = poll_until(grace, || !self.is_running());
        if went {
            self.forget();
        } else {
            self.kill();
        }
        went
    }

    /// Kills it and its process group, with no chance to clean up.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL, true);
        // Nothing but the exit status could be learnt from an error.
        let _ = self.child.wait();
        self.forget();
    }

    /// Starts the same again, after it was stopped or killed.
    pub fn start_again(&mut self) -> Result<(), StackError> {
        if self.is_running() {
            return Ok(());
        }
        (self.child, self.log_mark) = spawn(&self.spec)?;
        if let Some(reaper) = &self.reaper {
            reaper.add(self.child.id(), self.spec.stop.name());
        }
        Ok(())
    }

    /// Lets it live on without its owner. Whoever stops it later needs the identity.
    pub fn detach(mut self) -> Option<Identity> {
        self.detached = true;
        self.forget();
        Identity::of(self.pid())
    }

    fn forget(&self) {
        if let Some(reaper) = &self.reaper {
            reaper.forget(self.child.id());
        }
    }

    fn signal(&mut self, signal: Signal, to_group: bool) {
        // Until it has been waited for, the pid cannot belong to another process.
        if !self.is_running() {
            return;
        }
        let Ok(raw) = i32::try_from(self.pid()) else {
            return;
        };
        if to_group {
            let _ = signal::killpg(Pid::from_raw(raw), signal);
        }
        let _ = signal::kill(Pid::from_raw(raw), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.detached {
            self.stop(Duration::from_secs(10));
        }
    }
}

fn spawn(spec: &Spec) -> Result<(Child, u64), StackError> {
    let io = |doing| StackError::io(doing, &spec.log);
    if let Some(folder) = spec.log.parent() {
        fs::create_dir_all(folder).map_err(StackError::io("make", folder))?;
    }
    let size = fs::metadata(&spec.log).map_or(0, |meta| meta.len());
    if size > LOG_AT_MOST {
        fs::rename(&spec.log, spec.log.with_extension("old.log")).map_err(io("move"))?;
    }
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&spec.log)
        .map_err(io("open"))?;
    let mark = log.metadata().map_err(io("look at"))?.len();
    let errors = log.try_clone().map_err(io("open"))?;
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .envs(spec.env.iter().map(|(k, v)| (k, v)))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0);
    if let Some(folder) = &spec.folder {
        command.current_dir(folder);
    }
    if let Some(user) = spec.user {
        command.uid(user.uid).gid(user.gid);
    }
    let child = command
        .spawn()
        .map_err(StackError::io("start", &spec.program))?;
    Ok((child, mark))
}
