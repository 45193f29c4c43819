//! Which process a number means: pids are reused, after a reboot and within one.

use crate::StopSignal;
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::fs;
use std::time::Duration;

/// One process of this machine and boot. Another process that gets the same pid later is not it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its number while it lives.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// The boot it started in.
    pub boot_id: String,
}

struct Stat {
    state: char,
    start_ticks: u64,
}

impl Identity {
    /// The process that has `pid` now.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self {
            pid,
            start_ticks: stat(pid)?.start_ticks,
            boot_id: boot_id(),
        })
    }

    /// Whether it still runs. A zombie does not.
    pub fn is_alive(&self) -> bool {
        self.boot_id == boot_id()
            && stat(self.pid).is_some_and(|now| {
                now.start_ticks == self.start_ticks && !matches!(now.state, 'Z' | 'X')
            })
    }

    /// Asks it to stop and kills it, with its process group, when `grace` has passed. Does nothing when
    /// it has ended already.
    pub fn stop(&self, signal: StopSignal, grace: Duration) {
        if !self.is_alive() {
            return;
        }
        self.send(signal.into(), false);
        if !crate::poll_until(grace, || !self.is_alive()) {
            self.kill();
        }
    }

    /// Kills it and its process group at once.
    pub fn kill(&self) {
        if self.is_alive() {
            self.send(Signal::SIGKILL, true);
            crate::poll_until(Duration::from_secs(5), || !self.is_alive());
        }
    }

    fn send(&self, signal: Signal, to_group: bool) {
        let Ok(raw) = i32::try_from(self.pid) else {
            return;
        };
        // That it is gone already is what was wanted.
        if to_group {
            let _ = signal::killpg(Pid::from_raw(raw), signal);
        }
        let _ = signal::kill(Pid::from_raw(raw), signal);
    }
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in parentheses and may itself hold spaces and parentheses.
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_whitespace();
    Some(Stat {
        state: fields.next()?.chars().next()?,
        start_ticks: fields.nth(18)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_is_not_the_old_process() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        let before = Identity {
            start_ticks: me.start_ticks - 1,
            ..me.clone()
        };
        let last_boot = Identity {
            boot_id: "another".into(),
            ..me
        };
        assert!(!before.is_alive());
        assert!(!last_boot.is_alive());
        // Would end this test if it were sent.
        before.kill();
        last_boot.stop(StopSignal::Term, Duration::from_millis(10));
    }
}
