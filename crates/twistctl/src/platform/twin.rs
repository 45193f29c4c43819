//! Beside what runs: a second instance of a service on other ports, and another mode of one, with the same settings.

use crate::CtlError;
use crate::platform::{Part, Platform};
use stack::{Process, free_port, http_status};
use std::process::Command;
use std::time::Duration;

const READY: Duration = Duration::from_mins(1);

/// A second instance. Dropping it stops it.
#[derive(Debug)]
pub struct Twin {
    process: Process,
    port: u16,
}

impl Twin {
    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of that.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
}

impl Platform {
    /// Runs another mode of auth-service with the platform's settings, to its end: `keys rotate`.
    ///
    /// # Errors
    /// When it cannot be started, or says no.
    pub fn run_auth(&self, mode: &[&str]) -> Result<String, CtlError> {
        let spec = self.launch().program(Part::Auth)?;
        let output = Command::new(&spec.program)
            .args(mode)
            .envs(spec.env)
            .output()
            .map_err(CtlError::io("run", &spec.program))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(CtlError::Tool {
            what: format!("auth-service {}", mode.join(" ")),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts a second instance of one of our services, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready, or `part` is no service of ours.
    pub fn twin(&self, part: Part) -> Result<Twin, CtlError> {
        let prefix = match part {
            Part::Auth => "TWIST_AUTH__",
            Part::Api => "TWIST_API__",
            Part::Settlement => "TWIST_SETTLEMENT__",
            Part::Postgres | Part::Redis | Part::Edge => {
                return Err(CtlError::Help(format!("{} has no twin", part.name())));
            }
        };
        let mut spec = self.launch().program(part)?;
        let public = free_port()?;
        let listen = [("LISTEN", public), ("OPS_LISTEN", free_port()?)]
            .map(|(name, free)| (format!("{prefix}{name}"), format!("127.0.0.1:{free}")));
        spec.env
            .retain(|(name, _)| !listen.iter().any(|(of, _)| of == name));
        spec.env.extend(listen);
        spec.name = format!("{}-twin", part.name());
        spec.log = self.paths.log(&spec.name);
        let mut process = Process::start(spec, Some(&self.reaper))?;
        process.wait_ready(READY, || http_status(public, "/ready") == Some(200))?;
        Ok(Twin {
            process,
            port: public,
        })
    }
}
