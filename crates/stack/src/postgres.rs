//! A PostgreSQL cluster of our own.
//!
//! Clients come over loopback TCP with SCRAM and generated passwords, not over a Unix socket: that is how
//! every other environment is reached too, it holds against other users of the machine, and a proxy can be
//! put in between. The cluster has no socket at all.

use crate::binaries::{self, PostgresBinaries};
use crate::ordinary_user::make_private;
use crate::{OrdinaryUser, Process, Reaper, Spec, StackError, StopSignal};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// Who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The superuser, used only to make roles and databases.
    Admin,
    /// Owns the database and runs migrations.
    Owner,
    /// What services log in as: a member of the group `twist_app`.
    App,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Admin => "twist_admin",
            Self::Owner => "twist_owner",
            Self::App => "twist",
        }
    }
}

/// The roles' passwords: letters and digits only.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// Of [`Role::Admin`].
    pub admin: String,
    /// Of [`Role::Owner`].
    pub owner: String,
    /// Of [`Role::App`].
    pub app: String,
}

impl Passwords {
    /// New ones.
    pub fn generate() -> Result<Self, StackError> {
        let make = || crate::random_hex(16);
        Ok(Self {
            admin: make()?,
            owner: make()?,
            app: make()?,
        })
    }

    fn of(&self, role: Role) -> &str {
        match role {
            Role::Admin => &self.admin,
            Role::Owner => &self.owner,
            Role::App => &self.app,
        }
    }
}

/// Whether data has to survive a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production.
    Durable,
    /// Faster, for a cluster that is thrown away and that nobody kills.
    Throwaway,
}

/// What to run.
#[derive(Debug, Clone)]
pub struct PostgresSpec {
    /// Holds `data/`; see [`crate::postgres_home`] for where it can be.
    pub folder: PathBuf,
    /// Loopback port.
    pub port: u16,
    /// The roles' passwords; must stay the same for the same folder.
    pub passwords: Passwords,
    /// Whether data has to survive a crash.
    pub durability: Durability,
    /// Log file.
    pub log: PathBuf,
}

/// A running PostgreSQL. Dropping it stops it.
#[derive(Debug)]
pub struct Postgres {
    spec: PostgresSpec,
    binaries: PostgresBinaries,
    /// The server.
    pub process: Process,
}

impl Postgres {
    /// Makes the cluster if it is not there, starts it, waits until it answers, and makes the roles.
    pub fn start(spec: PostgresSpec, reaper: Option<&Reaper>) -> Result<Self, StackError> {
        let binaries = binaries::postgres()?;
        let user = OrdinaryUser::to_become()?;
        let data = spec.folder.join("data");
        match user {
            Some(user) => user.own_folder(&spec.folder)?,
            None => make_private(&spec.folder)?,
        }
        if data.join("PG_VERSION").is_file() {
            check_version(&binaries, &data)?;
        } else {
            make_cluster(&binaries, &spec, &data, user)?;
        }
        let process = Process::start(server(&binaries, &spec, &data, user), reaper)?;
        let mut postgres = Self {
            spec,
            binaries,
            process,
        };
        postgres.wait_ready()?;
        postgres.make_roles()?;
        Ok(postgres)
    }

    /// The URL of `database` for `role`.
    pub fn url(&self, role: Role, database: &str) -> String {
        let (name, password) = (role.name(), self.spec.passwords.of(role));
        format!(
            "postgres://{name}:{password}@127.0.0.1:{}/{database}",
            self.spec.port
        )
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.spec.port
    }

    /// Makes `database`, owned by [`Role::Owner`], if it is not there; from `template` if one is named.
    pub fn make_database(&self, database: &str, template: Option<&str>) -> Result<(), StackError> {
        let there = self.sql(
            "postgres",
            &format!("select 1 from pg_database where datname = '{database}'"),
        )?;
        if there.trim() == "1" {
            return Ok(());
        }
        let from = template
            .map(|name| format!(" template {name}"))
            .unwrap_or_default();
        self.sql(
            "postgres",
            &format!("create database {database} owner twist_owner{from}"),
        )
        .map(drop)
    }

    /// Removes `database` and cuts off whoever is in it.
    pub fn drop_database(&self, database: &str) -> Result<(), StackError> {
        self.sql(
            "postgres",
            &format!("drop database if exists {database} with (force)"),
        )
        .map(drop)
    }

    /// Runs SQL as the superuser; returns the rows as text.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String, StackError> {
        run_sql(&self.binaries, &self.spec, database, sql)
    }

    /// Starts it again after a stop or kill, on the same port with the same data.
    pub fn start_again(&mut self) -> Result<(), StackError> {
        self.process.start_again()?;
        self.wait_ready()
    }

    fn wait_ready(&mut self) -> Result<(), StackError> {
        let (binaries, spec) = (&self.binaries, &self.spec);
        self.process.wait_ready(PATIENCE, || {
            run_sql(binaries, spec, "postgres", "select 1").is_ok()
        })
    }

    fn make_roles(&self) -> Result<(), StackError> {
        let Passwords { owner, app, .. } = &self.spec.passwords;
        let sql = format!(
            "do $$ begin
               if not exists (select from pg_roles where rolname = 'twist_app') then create role twist_app nologin; end if;
               if not exists (select from pg_roles where rolname = 'twist_owner') then create role twist_owner login; end if;
               if not exists (select from pg_roles where rolname = 'twist') then create role twist login in role twist_app; end if;
             end $$;
             alter role twist_owner password '{owner}';
             alter role twist password '{app}';"
        );
        self.sql("postgres", &sql).map(drop)
    }
}

fn server(
    binaries: &PostgresBinaries,
    spec: &PostgresSpec,
    data: &Path,
    user: Option<OrdinaryUser>,
) -> Spec {
    let throwaway = spec.durability == Durability::Throwaway;
    let mut args = vec!["-D".into(), data.into()];
    let mut set = |setting: String| args.extend(["-c".into(), setting.into()]);
    set(format!("port={}", spec.port));
    set("listen_addresses=127.0.0.1".into());
    set("unix_socket_directories=".into());
    set("password_encryption=scram-sha-256".into());
    set("max_connections=200".into());
    set("timezone=UTC".into());
    set("log_timezone=UTC".into());
    if throwaway {
        set("fsync=off".into());
        set("synchronous_commit=off".into());
        set("full_page_writes=off".into());
        set("autovacuum=off".into());
    }
    Spec {
        name: "postgres".into(),
        program: binaries.postgres.clone(),
        args,
        env: vec![("LC_ALL".into(), "C".into())],
        folder: Some(spec.folder.clone()),
        log: spec.log.clone(),
        user,
        stop: if throwaway {
            StopSignal::Quit
        } else {
            StopSignal::Int
        },
    }
}

fn make_cluster(
    binaries: &PostgresBinaries,
    spec: &PostgresSpec,
    data: &Path,
    user: Option<OrdinaryUser>,
) -> Result<(), StackError> {
    // Made beside and renamed, so that an interrupted initdb leaves nothing that looks like a cluster.
    let draft = spec.folder.join("data.new");
    for leftover in [&draft, data] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).map_err(StackError::io("remove", leftover))?;
        }
    }
    let password = spec.folder.join("password.new");
    write_private(&password, &spec.passwords.admin, user)?;
    let mut command = Command::new(&binaries.initdb);
    command
        .arg("-D")
        .arg(&draft)
        .args(["--username", Role::Admin.name()])
        .arg("--pwfile")
        .arg(&password)
        .args([
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
        ])
        .args((spec.durability == Durability::Throwaway).then_some("--no-sync"))
        .env("LC_ALL", "C")
        .current_dir(&spec.folder);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    let made = feed("initdb", command, "");
    fs::remove_file(&password).map_err(StackError::io("remove", &password))?;
    made?;
    fs::rename(&draft, data).map_err(StackError::io("name", data))
}

fn write_private(path: &Path, text: &str, reader: Option<OrdinaryUser>) -> Result<(), StackError> {
    fs::write(path, "").map_err(StackError::io("write", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(StackError::io("set the mode of", path))?;
    if let Some(user) = reader {
        user.own(path)?;
    }
    fs::write(path, text).map_err(StackError::io("write", path))
}

fn check_version(binaries: &PostgresBinaries, data: &Path) -> Result<(), StackError> {
    let file = data.join("PG_VERSION");
    let found = fs::read_to_string(&file).map_err(StackError::io("read", &file))?;
    let found = found.trim();
    let mut command = Command::new(&binaries.postgres);
    command.arg("--version");
    let printed = feed("postgres --version", command, "")?;
    let version = printed
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or_default();
    let wanted: String = version.chars().take_while(char::is_ascii_digit).collect();
    if wanted == found {
        return Ok(());
    }
    Err(StackError::DataVersion {
        folder: data.to_owned(),
        found: found.to_owned(),
        wanted,
    })
}

fn run_sql(
    binaries: &PostgresBinaries,
    spec: &PostgresSpec,
    database: &str,
    sql: &str,
) -> Result<String, StackError> {
    let mut command = Command::new(&binaries.psql);
    command
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--set", "ON_ERROR_STOP=1", "--host", "127.0.0.1"])
        .args(["--username", Role::Admin.name(), "--dbname", database])
        .args(["--port", &spec.port.to_string()])
        .env("PGPASSWORD", &spec.passwords.admin)
        .env("PGCONNECT_TIMEOUT", "5");
    // Over stdin, because every user can read a command line.
    feed("psql", command, sql)
}

/// Runs a tool with `input` on its stdin; returns what it printed.
fn feed(tool: &'static str, mut command: Command, input: &str) -> Result<String, StackError> {
    let program = PathBuf::from(command.get_program());
    let io = |doing| StackError::io(doing, &program);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io("start"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A tool that ends early says why on its stderr.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(io("wait for"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(StackError::Tool {
        tool,
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
