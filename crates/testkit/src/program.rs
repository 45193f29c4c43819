//! A program of ours, started as an operator starts it.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// `program` with none of this process' settings.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("TWIST_") || name == "CREDENTIALS_DIRECTORY" {
            command.env_remove(name);
        }
    }
    command
}

/// One that runs. It is killed when a test fails in the middle.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    log: Option<JoinHandle<String>>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let (sender, lines) = mpsc::channel();
        let log = std::thread::spawn(move || {
            let mut all = String::new();
            for line in output.lines().map_while(Result::ok) {
                all.push_str(&line);
                all.push('\n');
                let _ = sender.send(line);
            }
            all
        });
        Self {
            child,
            lines,
            log: Some(log),
        }
    }

    /// The URLs of its public and its ops port, once it says them.
    pub fn urls(&self) -> (String, String) {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.expect("a line that says where it listens");
            let line: Value = serde_json::from_str(&line).expect("a line of JSON");
            let at = |name: &str| Some(format!("http://{}", line.get(name)?.as_str()?));
            if line.get("message").and_then(Value::as_str) == Some("listening")
                && let (Some(public), Some(ops)) = (at("address"), at("ops_address"))
            {
                return (public, ops);
            }
        }
    }

    /// [`Program::urls`], once it is ready.
    pub async fn ready(&self) -> (String, String) {
        let (public, ops) = self.urls();
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.expect("a client");
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = http.get(format!("{public}/ready")).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return (public, ops);
            }
            assert!(Instant::now() < until, "never ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it with `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits until it was killed at a fail point.
    pub async fn died(mut self) {
        use std::os::unix::process::ExitStatusExt as _;
        let until = Instant::now() + PATIENCE;
        let end = loop {
            if let Some(end) = self.child.try_wait().expect("it can be asked") {
                break end;
            }
            assert!(Instant::now() < until, "it never got to its fail point");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(end.signal(), Some(9), "it ended by itself: {end}");
    }

    /// Stops it with SIGTERM, which must end it cleanly; all that it wrote.
    pub fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.is_ok_and(|status| status.success()), "no SIGTERM");
        let end = self.child.wait().expect("it ends");
        assert!(end.success(), "SIGTERM must end it cleanly: {end}");
        let log = self.log.take().and_then(|log| log.join().ok());
        let mut all = log.expect("its output was read");
        if let Some(mut errors) = self.child.stderr.take() {
            let _ = errors.read_to_string(&mut all);
        }
        all
    }
}
