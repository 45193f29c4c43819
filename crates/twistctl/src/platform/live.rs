//! A running platform in hand.

use crate::build::Artifacts;
use crate::platform::launch::{Launch, Started, app_url, is_ready, owner_url, redis_url};
use crate::platform::{Options, Part, PartRecord, Ports, Record, Secrets};
use crate::{CtlError, Paths};
use client::{Client, Endpoints};
use stack::{Identity, Reaper, StopSignal};
use std::collections::BTreeMap;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(15);

/// The parts of a platform: those started here, and those that were running already.
///
/// Dropping it stops what was started here.
#[derive(Debug)]
pub struct Platform {
    pub(crate) paths: Paths,
    pub(crate) artifacts: Artifacts,
    pub(crate) options: Options,
    /// Where it listens.
    pub ports: Ports,
    /// Its secrets.
    pub secrets: Secrets,
    pub(crate) started: BTreeMap<Part, Started>,
    pub(crate) found: BTreeMap<Part, PartRecord>,
    pub(crate) reaper: Reaper,
}

impl Platform {
    /// Its public addresses.
    pub fn endpoints(&self) -> Endpoints {
        endpoints(&self.ports)
    }

    /// A client of it.
    pub fn client(&self) -> Result<Client, CtlError> {
        Client::new(self.endpoints()).map_err(CtlError::from)
    }

    /// The database, as a service sees it.
    pub fn app_url(&self) -> String {
        app_url(&self.ports, &self.secrets)
    }

    /// The database, as the owner of its tables.
    pub fn owner_url(&self) -> String {
        owner_url(&self.ports, &self.secrets)
    }

    /// The Redis database of the services.
    pub fn redis_url(&self) -> String {
        redis_url(&self.ports, &self.secrets)
    }

    /// The folders it lives in.
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Starts a part that is not running, and waits until it is ready.
    pub fn start(&mut self, part: Part) -> Result<(), CtlError> {
        let started = self.launch().start(part, Some(&self.reaper))?;
        self.started.insert(part, started);
        Ok(())
    }

    /// Starts every part that is not running.
    pub fn start_missing(&mut self) -> Result<(), CtlError> {
        for (part, _) in self.ended() {
            self.started.remove(&part);
        }
        for part in Part::ALL {
            if !self.started.contains_key(&part) && !self.found.contains_key(&part) {
                self.start(part)?;
            }
        }
        Ok(())
    }

    /// Stops a part as an operator does.
    pub fn stop(&mut self, part: Part) {
        if let Some(mut started) = self.started.remove(&part) {
            started.process().stop(GRACE);
        }
        if let Some(found) = self.found.remove(&part) {
            found.identity.stop(stop_signal(part), GRACE);
        }
    }

    /// Kills a part with `kill -9`.
    pub fn kill(&mut self, part: Part) {
        if let Some(mut started) = self.started.remove(&part) {
            started.process().kill();
        }
        if let Some(found) = self.found.remove(&part) {
            found.identity.kill();
        }
    }

    /// The process of a part, if it was started.
    pub fn pid(&mut self, part: Part) -> Option<u32> {
        let found = self.found.get(&part).map(|found| found.identity.pid);
        let started = self.started.get_mut(&part);
        started.map(|started| started.process().pid()).or(found)
    }

    /// Whether a part answers that it can work.
    pub fn is_ready(&self, part: Part) -> bool {
        is_ready(&self.ports, part)
    }

    /// Parts started here that have ended on their own, with the last lines of their logs.
    pub fn ended(&mut self) -> Vec<(Part, String)> {
        let mut ended = Vec::new();
        for (part, started) in &mut self.started {
            let process = started.process();
            if !process.is_running() {
                ended.push((*part, process.log_tail(10)));
            }
        }
        ended
    }

    /// Whether this command started anything.
    pub fn started_something(&self) -> bool {
        !self.started.is_empty()
    }

    /// Stops everything that was started here, the last first.
    pub fn stop_all(&mut self) {
        for part in Part::ALL.into_iter().rev() {
            self.stop(part);
        }
    }

    /// Lets everything live on without this command, and writes down what it is.
    pub fn detach(mut self) -> Result<(), CtlError> {
        let mut parts = std::mem::take(&mut self.found);
        for (part, started) in std::mem::take(&mut self.started) {
            let build = self.launch().build_of(part)?;
            if let Some(identity) = started.into_process().detach() {
                parts.insert(part, PartRecord { identity, build });
            }
        }
        Record {
            ports: self.ports.clone(),
            owner: None,
            parts,
        }
        .save(&self.paths)
    }

    /// Writes down what runs, as belonging to this command.
    pub(crate) fn save(&mut self) -> Result<(), CtlError> {
        let mut parts = self.found.clone();
        let mut pids = BTreeMap::new();
        for (part, started) in &mut self.started {
            pids.insert(*part, started.process().pid());
        }
        for (part, pid) in pids {
            let build = self.launch().build_of(part)?;
            if let Some(identity) = Identity::of(pid) {
                parts.insert(part, PartRecord { identity, build });
            }
        }
        Record {
            ports: self.ports.clone(),
            owner: Identity::of(std::process::id()),
            parts,
        }
        .save(&self.paths)
    }

    pub(crate) const fn launch(&self) -> Launch<'_> {
        Launch {
            paths: &self.paths,
            artifacts: &self.artifacts,
            options: &self.options,
            ports: &self.ports,
            secrets: &self.secrets,
        }
    }
}

/// The public addresses of a platform with these ports.
pub fn endpoints(ports: &Ports) -> Endpoints {
    Endpoints {
        auth: ports.url(Part::Auth),
        api: ports.url(Part::Api),
        edge: ports.url(Part::Edge),
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        for part in Part::ALL.into_iter().rev() {
            // Dropping a part stops it; the order matters.
            self.started.remove(&part);
        }
    }
}

const fn stop_signal(part: Part) -> StopSignal {
    match part {
        Part::Postgres => StopSignal::Int,
        Part::Redis | Part::Auth | Part::Api | Part::Settlement | Part::Edge => StopSignal::Term,
    }
}

/// Stops every process of a record that still runs, the last first. Returns which.
pub fn stop_recorded(record: &Record) -> Vec<Part> {
    let mut stopped = Vec::new();
    for (part, process) in record.parts.iter().rev() {
        if process.identity.is_alive() {
            process.identity.stop(stop_signal(*part), GRACE);
            stopped.push(*part);
        }
    }
    stopped
}
