//! A Redis of our own.

use crate::ordinary_user::make_private;
use crate::{Process, Reaper, Spec, StackError, StopSignal, binaries};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
/// Tests take one logical database each.
const DATABASES: u32 = 1024;

/// What to run.
#[derive(Debug, Clone)]
pub struct RedisSpec {
    /// Data and configuration; made if missing.
    pub folder: PathBuf,
    /// Loopback port.
    pub port: u16,
    /// Every client has to give it: other users of the machine can reach the port.
    pub password: String,
    /// Log file.
    pub log: PathBuf,
}

/// A running Redis. Dropping it stops it.
#[derive(Debug)]
pub struct Redis {
    spec: RedisSpec,
    /// The server.
    pub process: Process,
}

impl Redis {
    /// Starts it and waits until it answers.
    pub fn start(spec: RedisSpec, reaper: Option<&Reaper>) -> Result<Self, StackError> {
        let program = binaries::redis()?;
        make_private(&spec.folder)?;
        let config = spec.folder.join("redis.conf");
        write_config(&config, &spec).map_err(StackError::io("write", &config))?;
        let process = Process::start(
            Spec {
                name: "redis".into(),
                program,
                args: vec![config.into()],
                env: vec![],
                folder: Some(spec.folder.clone()),
                log: spec.log.clone(),
                user: None,
                stop: StopSignal::Term,
            },
            reaper,
        )?;
        let mut redis = Self { spec, process };
        redis.wait_ready()?;
        Ok(redis)
    }

    /// The URL of logical database `index`.
    pub fn url(&self, index: u32) -> String {
        let RedisSpec { password, port, .. } = &self.spec;
        format!("redis://:{password}@127.0.0.1:{port}/{index}")
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.spec.port
    }

    /// Starts it again after a stop or kill, on the same port with the same data.
    pub fn start_again(&mut self) -> Result<(), StackError> {
        self.process.start_again()?;
        self.wait_ready()
    }

    fn wait_ready(&mut self) -> Result<(), StackError> {
        let (port, password) = (self.spec.port, self.spec.password.clone());
        self.process
            .wait_ready(PATIENCE, || answers(port, &password).unwrap_or(false))
    }
}

fn write_config(path: &Path, spec: &RedisSpec) -> std::io::Result<()> {
    let RedisSpec {
        folder,
        port,
        password,
        ..
    } = spec;
    let text = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir \"{}\"\nappendonly yes\nappendfsync everysec\nsave \"\"\nmaxmemory-policy noeviction\ndatabases {DATABASES}\ndaemonize no\nlogfile \"\"\n",
        folder.display()
    );
    // The password is in it.
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn answers(port: u16, password: &str) -> std::io::Result<bool> {
    let patience = Duration::from_secs(1);
    let mut stream =
        TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(format!("AUTH {password}\r\nPING\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer.contains("+PONG"))
}
