//! What the person sees. The only place that prints.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command line tool; results go to stdout, progress and complaints to stderr"
)]

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A result.
pub(crate) fn say(text: &str) {
    // Someone who has read enough (`| head`) is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Something on the side.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// Why it failed.
pub(crate) fn complain(text: &str) {
    eprintln!("twist: {text}");
}

/// `12.3 s`.
pub(crate) fn seconds(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// One long step: a spinner on a terminal, two lines elsewhere.
pub(crate) struct Step {
    title: String,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Step {
    pub(crate) fn start(title: impl Into<String>) -> Self {
        let title = title.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}")
            {
                bar.set_style(style);
            }
            bar.set_prefix(title.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            note(&format!("  … {title}"));
        }
        Self {
            title,
            started: Instant::now(),
            bar,
        }
    }

    /// What is going on inside.
    pub(crate) fn detail(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.trim().to_owned());
        }
    }

    pub(crate) fn done(self) {
        let line = format!("  ✓ {} ({})", self.title, seconds(self.started.elapsed()));
        self.end(&line);
    }

    pub(crate) fn failed(self) {
        let line = format!("  ✗ {} ({})", self.title, seconds(self.started.elapsed()));
        self.end(&line);
    }

    fn end(self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        note(line);
    }

    /// Runs `work` as one step.
    pub(crate) fn during<T, E>(
        title: impl Into<String>,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let step = Self::start(title);
        let result = work(&step);
        if result.is_ok() {
            step.done();
        } else {
            step.failed();
        }
        result
    }
}
