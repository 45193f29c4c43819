//! From whatever is there to a whole running platform.

use crate::build::Artifacts;
use crate::platform::{Options, Part, Platform, Ports, Record, Secrets, stop_recorded, terms};
use crate::run::watch;
use crate::ui::Step;
use crate::{CtlError, Paths};
use stack::Reaper;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

impl Platform {
    /// Starts what does not run, starts again what runs something older, and keeps the rest. To be
    /// called with the [`crate::platform::Lock`] held, and not while another command owns the processes.
    pub fn up(paths: &Paths, artifacts: Artifacts, options: Options) -> Result<Self, CtlError> {
        let record = adoptable(Record::load(paths));
        let secrets = Secrets::load_or_make(paths)?;
        let mut platform = Self {
            ports: Ports::choose(record.as_ref(), &options)?,
            paths: paths.clone(),
            artifacts,
            options,
            secrets,
            started: BTreeMap::new(),
            found: BTreeMap::new(),
            reaper: Reaper::start()?,
        };
        if platform.options.throwaway {
            platform.reaper.remove_folder(&paths.state);
        }
        for part in Part::ALL {
            platform.adopt_or_start(part, record.as_ref())?;
            platform.save()?;
            if part == Part::Postgres {
                platform.migrate()?;
            }
        }
        Ok(platform)
    }

    /// Stops everything and removes its data, secrets and logs.
    pub fn clear(paths: &Paths) -> Result<(), CtlError> {
        if let Some(record) = Record::load(paths) {
            stop_recorded(&record);
        }
        Record::remove(paths)?;
        let wanted = paths.state.join("postgres");
        let folders = [
            stack::postgres_home(&wanted)?,
            wanted,
            paths.state.join("redis"),
            paths.state.join("edge"),
            paths.state.join("logs"),
        ];
        for folder in folders.iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder).map_err(CtlError::io("remove", folder))?;
        }
        let secrets = paths.state.join("secrets.json");
        if secrets.exists() {
            fs::remove_file(&secrets).map_err(CtlError::io("remove", &secrets))?;
        }
        Ok(())
    }

    fn adopt_or_start(&mut self, part: Part, record: Option<&Record>) -> Result<(), CtlError> {
        let known = record.and_then(|record| record.parts.get(&part));
        if let Some(known) = known.filter(|known| known.identity.is_alive()) {
            if known.build == self.launch().build_of(part)? && self.is_ready(part) {
                self.found.insert(part, known.clone());
                return Ok(());
            }
            self.found.insert(part, known.clone());
            self.stop(part);
        }
        Step::during(format!("start {}", part.name()), |_| self.start(part))
    }

    fn migrate(&self) -> Result<(), CtlError> {
        Step::during("migrate the database", |step| {
            let mut command = Command::new(&self.artifacts.migrate);
            command
                .arg("up")
                .env("TWIST_MIGRATE__DATABASE_URL", self.owner_url());
            let ended = watch(command, |line| step.detail(line))?;
            if ended.ok {
                return terms::set(self.owner_url());
            }
            Err(CtlError::Tool {
                what: "the migration".into(),
                output: ended.output,
            })
        })
    }
}

/// The processes that may be kept: those that were detached. Those of a command that is gone are being
/// ended by its watcher, or have lost it; they are stopped for good.
fn adoptable(record: Option<Record>) -> Option<Record> {
    let mut record = record?;
    if record.owner.is_some() {
        stop_recorded(&record);
        record.parts.clear();
    }
    Some(record)
}
