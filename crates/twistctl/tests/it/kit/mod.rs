//! Makes small releases and asks `twistctl verify` about them.

pub(crate) mod backend;
pub(crate) mod cloudflare;
pub(crate) mod edge;
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod release;

pub(crate) use release::Release;

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What the program said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect(&self.stdout)
    }

    /// The row of an artifact.
    pub(crate) fn row(&self, artifact: &str) -> Value {
        let json = self.json();
        let rows = json["rows"].as_array().unwrap();
        rows.iter()
            .find(|row| row["artifact"] == artifact)
            .unwrap_or_else(|| panic!("no row of {artifact} in {json:#}"))
            .clone()
    }
}

/// A command of twistctl that knows no checkout and no platform but those in `home`.
pub(crate) fn twistctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twistctl"));
    command
        .current_dir(home)
        .env_remove("TWIST_ROOT")
        .env_remove("TWIST_NIXPKGS")
        .env("TWIST_STATE_DIR", home.join("state"))
        .env("TWIST_CACHE_DIR", home.join("cache"));
    command
}

pub(crate) fn answer(mut command: Command) -> Answer {
    let output = command.output().unwrap();
    Answer {
        code: output.status.code().expect("it was not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Bytes that do not repeat, the same on every run.
pub(crate) fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(usual)
}
