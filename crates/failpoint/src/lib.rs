//! Places at which a test can have this process killed, as by `kill -9`: nothing is flushed, closed or rolled back
//! by the process itself.
//!
//! A debug build that was started with [`VARIABLE`] naming a [`Point`] dies when it gets there. A release build has
//! none of this: [`here`] is empty.

mod point;

pub use point::Point;

/// `NAME` dies at the first arrival at the point of that name, `NAME:3` at the third.
pub const VARIABLE: &str = "TWIST_DIE_AT";

/// Dies here if the test wants that.
#[cfg(debug_assertions)]
pub fn here(point: Point) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    static WANTED: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU32::new(times.parse().ok()?)))
    });
    if let Some((name, left)) = wanted
        && name == point.as_str()
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub const fn here(_: Point) {}
