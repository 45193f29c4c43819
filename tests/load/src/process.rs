//! What the kernel knows of a process.

use std::fs;
use std::io;
use std::time::Duration;

/// Clock ticks in a second, as `/proc` counts: fixed by Linux' interface to programs.
const TICKS: u64 = 100;
/// The fields of `/proc/PID/stat` after the name: state is the first, user time the 12th, system time the 13th.
const USER_TIME: usize = 11;

/// CPU time that the process has used, in user and system mode.
pub(crate) fn cpu(pid: u32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold spaces and brackets; the last bracket ends it.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_ascii_whitespace().skip(USER_TIME);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    match (ticks(), ticks()) {
        (Some(user), Some(system)) => Ok(Duration::from_millis((user + system) * 1_000 / TICKS)),
        _ => Err(io::Error::other("/proc/PID/stat has another form")),
    }
}

/// CPU time that the processes started by `pid` have used, of those that are still there: `PostgreSQL` has one for each
/// connection.
pub(crate) fn cpu_of_children(pid: u32) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // It may end between the two looks.
        let parent = fs::read_to_string(format!("/proc/{child}/stat")).ok();
        let parent = parent.and_then(|text| {
            let (_, fields) = text.rsplit_once(')')?;
            fields.split_ascii_whitespace().nth(1)?.parse::<u32>().ok()
        });
        if parent == Some(pid) {
            sum += cpu(child).unwrap_or_default();
        }
    }
    Ok(sum)
}

/// Memory of the process that is in RAM, in KiB.
pub(crate) fn resident(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse().ok())
        .ok_or_else(|| io::Error::other("/proc/PID/status has another form"))
}
