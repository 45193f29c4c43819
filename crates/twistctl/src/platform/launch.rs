//! How each part is started: program, settings, and how to tell that it is ready.

use crate::build::Artifacts;
use crate::platform::edge::modules;
use crate::platform::{Options, Part, Ports, Secrets};
use crate::{CtlError, Paths, tools};
use stack::{
    Durability, Postgres, PostgresSpec, Process, Reaper, Redis, RedisSpec, Spec, StopSignal,
};
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that starting takes.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) paths: &'a Paths,
    pub(crate) artifacts: &'a Artifacts,
    pub(crate) options: &'a Options,
    pub(crate) ports: &'a Ports,
    pub(crate) secrets: &'a Secrets,
}

/// A part that was started here.
#[derive(Debug)]
pub(crate) enum Started {
    Postgres(Postgres),
    Redis(Redis),
    Program(Process),
}

impl Started {
    pub(crate) fn process(&mut self) -> &mut Process {
        match self {
            Self::Postgres(server) => &mut server.process,
            Self::Redis(server) => &mut server.process,
            Self::Program(process) => process,
        }
    }

    pub(crate) fn into_process(self) -> Process {
        match self {
            Self::Postgres(server) => server.process,
            Self::Redis(server) => server.process,
            Self::Program(process) => process,
        }
    }
}

pub(crate) const DATABASE: &str = "twist";
const READY: Duration = Duration::from_mins(1);

impl Launch<'_> {
    pub(crate) fn start(&self, part: Part, reaper: Option<&Reaper>) -> Result<Started, CtlError> {
        match part {
            Part::Postgres => self.postgres(reaper).map(Started::Postgres),
            Part::Redis => self.redis(reaper).map(Started::Redis),
            Part::Auth | Part::Api | Part::Settlement | Part::Edge => {
                if part == Part::Edge {
                    self.copy_bundles()?;
                    self.write_edge_config()?;
                }
                let mut process = Process::start(self.program(part)?, reaper)?;
                process.wait_ready(READY, || self.is_ready(part))?;
                Ok(Started::Program(process))
            }
        }
    }

    /// Whether a component answers that it can work.
    pub(crate) fn is_ready(&self, part: Part) -> bool {
        is_ready(self.ports, part)
    }

    /// Changes when what would be started differs from what runs.
    pub(crate) fn build_of(&self, part: Part) -> Result<String, CtlError> {
        let mut hash = DefaultHasher::new();
        self.ports.of(part).hash(&mut hash);
        if part.is_component() {
            let spec = self.program(part)?;
            (spec.args, spec.env).hash(&mut hash);
            hash_file(&spec.program, &mut hash)?;
        }
        if part == Part::Edge {
            for (worker, module) in modules() {
                // By content: a bundle that was made again from the same sources is the same.
                let file = self.artifacts.bundles.join(worker).join(module);
                fs::read(&file)
                    .map_err(CtlError::io("read", &file))?
                    .hash(&mut hash);
            }
            self.edge_config().to_string().hash(&mut hash);
        }
        Ok(format!("{:016x}", hash.finish()))
    }

    fn postgres(&self, reaper: Option<&Reaper>) -> Result<Postgres, CtlError> {
        let wanted = self.paths.state.join("postgres");
        let postgres = Postgres::start(
            PostgresSpec {
                folder: stack::postgres_home(&wanted)?,
                port: self.ports.postgres,
                passwords: self.secrets.passwords(),
                durability: Durability::Durable,
                log: self.paths.log("postgres"),
            },
            reaper,
        )?;
        postgres.make_database(DATABASE, None)?;
        Ok(postgres)
    }

    fn redis(&self, reaper: Option<&Reaper>) -> Result<Redis, CtlError> {
        let redis = Redis::start(
            RedisSpec {
                folder: self.paths.state.join("redis"),
                port: self.ports.redis,
                password: self.secrets.redis.clone(),
                log: self.paths.log("redis"),
            },
            reaper,
        )?;
        Ok(redis)
    }

    pub(crate) fn program(&self, part: Part) -> Result<Spec, CtlError> {
        let (program, args, env): (PathBuf, Vec<OsString>, _) = match part {
            Part::Auth => (
                self.artifacts.auth.clone(),
                vec!["serve".into()],
                self.auth_env(),
            ),
            Part::Api => (
                self.artifacts.api.clone(),
                vec!["serve".into()],
                self.api_env(),
            ),
            Part::Settlement => (
                self.artifacts.settlement.clone(),
                vec!["serve".into()],
                self.settlement_env(),
            ),
            Part::Edge | Part::Postgres | Part::Redis => {
                let config = self.edge_config_file();
                let script = self.paths.root.join("edge/local/serve.mjs");
                let modules = self.paths.node_modules().display().to_string();
                (
                    tools::node(self.paths)?,
                    vec![script.into(), config.into()],
                    vec![("TWIST_NODE_MODULES".into(), modules)],
                )
            }
        };
        Ok(Spec {
            name: part.name().into(),
            program,
            args,
            env,
            folder: Some(self.paths.state.clone()),
            log: self.paths.log(part.name()),
            user: None,
            stop: StopSignal::Term,
        })
    }

    fn auth_env(&self) -> Vec<(String, String)> {
        let url = self.ports.url(Part::Auth);
        let mut env = settings(
            "TWIST_AUTH__",
            [
                ("LISTEN", listen(self.ports.auth)),
                ("OPS_LISTEN", listen(self.ports.auth_ops)),
                ("DATABASE__URL", app_url(self.ports, self.secrets)),
                ("REDIS__URL", redis_url(self.ports, self.secrets)),
                ("DOMAIN", listen(self.ports.auth)),
                ("URI", url.clone()),
                ("ISSUER", url),
                ("CHAIN_ID", "solana:devnet".into()),
                (
                    "KEY_ENCRYPTION_KEY",
                    self.secrets.key_encryption_key.clone(),
                ),
            ],
        );
        env.extend(self.revision());
        env.extend(self.options.auth_env.clone());
        env
    }

    fn api_env(&self) -> Vec<(String, String)> {
        let issuer = self.ports.url(Part::Auth);
        let mut env = settings(
            "TWIST_API__",
            [
                ("LISTEN", listen(self.ports.api)),
                ("OPS_LISTEN", listen(self.ports.api_ops)),
                ("DATABASE__URL", app_url(self.ports, self.secrets)),
                ("REDIS__URL", redis_url(self.ports, self.secrets)),
                ("TOKEN__JWKS_URL", format!("{issuer}/.well-known/jwks.json")),
                ("TOKEN__ISSUER", issuer),
            ],
        );
        env.push((
            format!("TWIST_API__INGEST__KEYS__{}", Secrets::INGEST_KEY),
            self.secrets.ingest.clone(),
        ));
        env.extend(self.revision());
        env.extend(self.options.api_env.clone());
        env
    }

    fn settlement_env(&self) -> Vec<(String, String)> {
        let mut env = settings(
            "TWIST_SETTLEMENT__",
            [
                ("LISTEN", listen(self.ports.settlement)),
                ("OPS_LISTEN", listen(self.ports.settlement_ops)),
                ("DATABASE__URL", app_url(self.ports, self.secrets)),
                ("REDIS__URL", redis_url(self.ports, self.secrets)),
            ],
        );
        env.extend(self.revision());
        env.extend(self.options.settlement_env.clone());
        env
    }

    /// What a service says of itself at `/version`.
    fn revision(&self) -> Option<(String, String)> {
        let revision = self.artifacts.revision.clone()?;
        Some(("TWIST_REVISION".into(), revision))
    }
}

/// The database, as the owner of its tables.
pub(crate) fn owner_url(ports: &Ports, secrets: &Secrets) -> String {
    database_url("twist_owner", &secrets.passwords().owner, ports)
}

/// The database, as a service sees it.
pub(crate) fn app_url(ports: &Ports, secrets: &Secrets) -> String {
    database_url("twist", &secrets.passwords().app, ports)
}

/// The Redis database of the services.
pub(crate) fn redis_url(ports: &Ports, secrets: &Secrets) -> String {
    format!("redis://:{}@127.0.0.1:{}/0", secrets.redis, ports.redis)
}

/// Whether a component answers that it can work.
pub(crate) fn is_ready(ports: &Ports, part: Part) -> bool {
    let path = match part {
        Part::Auth | Part::Api | Part::Settlement => "/ready",
        Part::Edge => "/health",
        Part::Postgres | Part::Redis => return !stack::is_free(ports.of(part)),
    };
    stack::http_status(ports.of(part), path) == Some(200)
}

fn database_url(user: &str, password: &str, ports: &Ports) -> String {
    format!(
        "postgres://{user}:{password}@127.0.0.1:{}/{DATABASE}",
        ports.postgres
    )
}

fn listen(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn settings<const N: usize>(prefix: &str, pairs: [(&str, String); N]) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (format!("{prefix}{name}"), value))
        .collect()
}

fn hash_file(path: &Path, hash: &mut DefaultHasher) -> Result<(), CtlError> {
    let meta = fs::metadata(path).map_err(CtlError::io("read", path))?;
    let modified = meta.modified().map_err(CtlError::io("read", path))?;
    (meta.len(), modified).hash(hash);
    Ok(())
}
