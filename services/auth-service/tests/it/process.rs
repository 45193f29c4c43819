//! The real program, started as an operator starts it.

use crate::world::ISSUER;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};
use std::sync::mpsc;
use std::time::Duration;

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TWIST_") {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn with_settings(command: &mut Command, database_url: &str, redis_url: &str) {
    command.envs([
        ("TWIST_AUTH__LISTEN", "127.0.0.1:0"),
        ("TWIST_AUTH__OPS_LISTEN", "127.0.0.1:0"),
        ("TWIST_AUTH__DATABASE__URL", database_url),
        ("TWIST_AUTH__REDIS__URL", redis_url),
        ("TWIST_AUTH__ISSUER", ISSUER),
        ("TWIST_AUTH__DOMAIN", "app.test.example"),
        ("TWIST_AUTH__URI", "https://app.test.example"),
        ("TWIST_AUTH__CHAIN_ID", "solana:devnet"),
        ("TWIST_AUTH__KEY_ENCRYPTION_KEY", &"ab".repeat(32)),
        ("TWIST_LOG", "trace"),
    ]);
}

/// Ends the process when a test fails in the middle.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Lines as they come, and at the end all of them.
pub(crate) fn read_lines(
    process: &mut Child,
) -> (mpsc::Receiver<String>, std::thread::JoinHandle<String>) {
    let output = BufReader::new(process.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut all = String::new();
        for line in output.lines().map_while(Result::ok) {
            all.push_str(&line);
            all.push('\n');
            let _ = sender.send(line);
        }
        all
    });
    (receiver, reader)
}

pub(crate) fn listening(lines: &mpsc::Receiver<String>) -> String {
    loop {
        let line = lines
            .recv_timeout(Duration::from_secs(20))
            .expect("a line that says where it listens");
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["message"] == "listening" {
            return format!("http://{}", line["address"].as_str().unwrap());
        }
    }
}
