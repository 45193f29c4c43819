//! What differs between the two builds.

use crate::reproduce::side::Side;
use crate::reproduce::toolchain::Toolchain;
use crate::run::{ask, watch};
use crate::{CtlError, tools};
use std::path::PathBuf;
use std::process::Command;
use std::thread::available_parallelism;

/// nobody, on every Linux.
const NOBODY: u32 = 65534;
/// A build that noted the date would differ by more than a year.
const CLOCK: &str = "+400d";
/// No summer time, no whole hour, and in need of no database.
const TIME_ZONE: &str = "TWIST-13:45";

/// How one build is run.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    user: Option<u32>,
    umask: &'static str,
    one_core: bool,
    clock: Option<Clock>,
    env: Vec<(&'static str, String)>,
    /// For people: what is varied, and what is not and why.
    notes: Vec<String>,
}

/// A clock that goes wrong.
#[derive(Debug, Clone)]
struct Clock {
    /// faketime.
    program: PathBuf,
    /// Whether the compiler itself sees the right time.
    spare_rustc: bool,
}

impl Conditions {
    /// As the person would build.
    pub(super) fn plain() -> Self {
        Self {
            user: None,
            umask: "027",
            one_core: false,
            clock: None,
            env: vec![("TZ", "UTC".into()), ("LC_ALL", "C".into())],
            notes: Vec::new(),
        }
    }

    /// As unlike [`Conditions::plain`] as this machine allows.
    pub(super) fn possible(
        first: &Side,
        second: &Side,
        toolchain: &Toolchain,
    ) -> Result<Self, CtlError> {
        let mut all = Self {
            umask: "077",
            env: vec![("TZ", TIME_ZONE.into())],
            ..Self::plain()
        };
        all.note(
            "directory",
            &format!("{} and {}", first.root().display(), second.root().display()),
        );
        all.note(
            "CARGO_HOME, HOME, TMPDIR",
            "each build's own, the crates copied",
        );
        all.note("umask", "027 and 077");
        all.note("time zone", &format!("UTC and {TIME_ZONE}"));
        all.choose_locale();
        all.choose_cores()?;
        all.choose_user(toolchain)?;
        all.choose_clock(toolchain)?;
        all.note(
            "not varied",
            "machine, kernel, file system, toolchain, and the twistctl that calls it",
        );
        Ok(all)
    }

    /// Whom the files have to belong to.
    pub(super) const fn user(&self) -> Option<u32> {
        self.user
    }

    /// Every variation on a line.
    pub(super) fn describe(&self) -> String {
        self.notes.join("\n")
    }

    /// `program` and its arguments under these conditions.
    pub(super) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut words: Vec<String> = Vec::new();
        let mut add = |part: &[&str]| words.extend(part.iter().map(|word| (*word).to_owned()));
        if let Some(user) = self.user {
            let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
            // The toolchain may lie where only its owner gets in: reading is allowed, writing is not.
            add(&["setpriv", &uid, &gid, "--clear-groups"]);
            // Or the question whether a file can be read would be answered without that right.
            add(&["--securebits=+no_setuid_fixup"]);
            add(&[
                "--inh-caps=-all,+dac_read_search",
                "--ambient-caps=+dac_read_search",
            ]);
        }
        if self.one_core {
            add(&["taskset", "--cpu-list", &first_core()]);
        }
        if let Some(clock) = &self.clock {
            add(&[&clock.program.display().to_string(), "-f", CLOCK]);
        }
        add(&[program]);
        add(args);
        let mut command = Command::new("sh");
        command.args(["-c", "umask \"$1\"; shift; exec \"$@\"", "sh", self.umask]);
        command
            .args(words)
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        if self.clock.is_some() {
            // Waiting for threads must not go by a clock that jumps.
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command
    }

    /// Lets it find the compiler.
    pub(super) fn use_tools(&self, command: &mut Command, toolchain: &Toolchain) {
        let spare = self.clock.as_ref().is_some_and(|clock| clock.spare_rustc);
        command.env("PATH", toolchain.path(spare));
    }

    fn note(&mut self, what: &str, how: &str) {
        self.notes.push(format!("  {what}: {how}"));
    }

    fn choose_locale(&mut self) {
        let installed = ask("locale", &["-a"]).unwrap_or_default();
        // Turkish has a dotless i, where careless comparisons of names break.
        let find = |wanted: fn(&str) -> bool| installed.lines().find(|name| wanted(name));
        let chosen = find(|name| name.starts_with("tr_TR"))
            .or_else(|| find(|name| !name.starts_with('C') && name != "POSIX"))
            .or_else(|| find(|name| name != "C" && name != "POSIX"));
        match chosen.map(str::to_owned) {
            Some(name) => {
                self.note("locale", &format!("C and {name}"));
                self.env.push(("LC_ALL", name));
            }
            None => self.note("locale", "not varied: no other is installed"),
        }
    }

    fn choose_cores(&mut self) -> Result<(), CtlError> {
        let cores = available_parallelism().map_or(1, usize::from);
        self.env.push(("CARGO_BUILD_JOBS", "1".into()));
        let mut trial = self.clone();
        trial.one_core = true;
        self.one_core = cores > 1 && trial.works()?;
        if self.one_core {
            self.note("cores", &format!("{cores} and 1"));
        } else {
            self.note("cores", "jobs only, one at a time in the second build: taskset is missing or there is one core");
        }
        Ok(())
    }

    fn choose_user(&mut self, toolchain: &Toolchain) -> Result<(), CtlError> {
        if !stack::is_root() {
            self.note("user", "not varied: only root can become another");
            return Ok(());
        }
        let mut trial = self.clone();
        trial.user = Some(NOBODY);
        if trial.can_compile(toolchain)? {
            self.user = Some(NOBODY);
            self.note("user", &format!("0 and {NOBODY}"));
        } else {
            self.note(
                "user",
                "not varied: setpriv is missing, or another user cannot run the toolchain",
            );
        }
        Ok(())
    }

    fn choose_clock(&mut self, toolchain: &Toolchain) -> Result<(), CtlError> {
        let Some(program) = stack::binaries::on_path("faketime") else {
            self.note("clock", "not varied: faketime is not installed");
            return Ok(());
        };
        // rustup's compiler has an allocator that hangs under faketime; everything around it can be fooled.
        for (spare_rustc, exception) in [
            (false, ""),
            (true, ", but not for rustc, which hangs with it"),
        ] {
            let mut trial = self.clone();
            trial.clock = Some(Clock {
                program: program.clone(),
                spare_rustc,
            });
            let another = tools::wasm_rustc().is_some();
            if !(spare_rustc && another) && trial.can_compile(toolchain)? {
                self.clock = trial.clock;
                self.note("clock", &format!("right and {CLOCK}{exception}"));
                return Ok(());
            }
        }
        self.note(
            "clock",
            "not varied: the toolchain does not run under faketime",
        );
        Ok(())
    }

    fn works(&self) -> Result<bool, CtlError> {
        Ok(watch(self.command("true", &[]), |_| {})?.ok)
    }

    /// Whether a program can be compiled, linked and run.
    fn can_compile(&self, toolchain: &Toolchain) -> Result<bool, CtlError> {
        const TRIAL: &str = "folder=$(mktemp -d) && rustc -o \"$folder/trial\" \"$1\" && \"$folder/trial\"; \
            code=$?; rm -rf \"$folder\"; cargo --version && exit $code";
        let source = toolchain.trial().display().to_string();
        let limit = ["--kill-after=1", "30", "sh", "-c", TRIAL, "sh", &source];
        let mut command = self.command("timeout", &limit);
        self.use_tools(&mut command, toolchain);
        Ok(watch(command, |_| {})?.ok)
    }
}

/// One that this process may use: a container may not have the first of the machine.
fn first_core() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = list.and_then(|list| list.trim().split([',', '-']).next());
    first.unwrap_or("0").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(conditions: &Conditions, script: &str) -> String {
        let output = conditions
            .command("sh", &["-c", script, "sh", "a b"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_condition_that_is_announced_is_there() {
        let mut other = Conditions::plain();
        other.umask = "077";
        other.choose_locale();
        other.choose_cores().unwrap();
        assert_eq!(printed(&Conditions::plain(), "umask"), "0027");
        assert_eq!(printed(&other, "umask"), "0077");
        assert_eq!(printed(&other, "echo \"$1\" $CARGO_BUILD_JOBS"), "a b 1");
        let notes = other.describe();
        if !notes.contains("locale: not varied") {
            let locale = printed(&other, "echo $LC_ALL");
            assert!(
                locale != "C" && notes.contains(&locale),
                "{notes} but {locale}"
            );
        }
        if other.one_core {
            assert_eq!(printed(&other, "nproc"), "1");
        } else {
            assert!(notes.contains("cores: jobs only"), "{notes}");
        }
    }

    #[test]
    fn root_becomes_another_and_anybody_else_is_told_that_the_user_stays() {
        if stack::is_root() {
            let mut other = Conditions::plain();
            other.user = Some(NOBODY);
            assert_eq!(printed(&other, "id -u"), NOBODY.to_string());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let paths = crate::Paths::discover().unwrap();
        let toolchain = Toolchain::find(&paths, folder.path()).unwrap();
        let mut conditions = Conditions::plain();
        conditions.choose_user(&toolchain).unwrap();
        assert_eq!(conditions.user(), None);
        assert!(conditions.describe().contains("user: not varied"));
    }
}
