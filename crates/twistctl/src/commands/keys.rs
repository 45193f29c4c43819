//! `keys`: the keys that sign access tokens.

use crate::platform::Part;
use crate::{CtlError, Paths, commands, ui};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

/// Options of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose keys. `local` is the platform that `up` started.
    #[arg(long, value_enum, global = true, default_value_t = Env::Local)]
    env: Env,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Env {
    Local,
    Staging,
    Production,
}

impl Env {
    const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// What can be done with the keys.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows every key and where it stands in its life.
    List,
    /// Announces a new key, which takes over by itself once every verifier has seen it.
    Rotate {
        /// Make the announced key take over now instead of at its time; refused while verifiers may not have seen it.
        #[arg(long, conflicts_with = "emergency")]
        now: bool,
        /// Stop believing a key at once.
        #[arg(long, requires_all = ["kid", "reason"])]
        emergency: bool,
        /// Which key has leaked.
        #[arg(long, requires = "emergency", allow_hyphen_values = true)]
        kid: Option<String>,
        /// Why, in a few words.
        #[arg(long, requires = "emergency")]
        reason: Option<String>,
    },
}

impl Command {
    /// The same, for auth-service.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["keys".to_owned()];
        match self {
            Self::List => arguments.push("list".to_owned()),
            Self::Rotate {
                now,
                emergency,
                kid,
                reason,
            } => {
                arguments.push("rotate".to_owned());
                let flags = [(*now, "--now"), (*emergency, "--emergency")];
                let given = flags.into_iter().filter(|(given, _)| *given);
                arguments.extend(given.map(|(_, flag)| flag.to_owned()));
                for (option, value) in [("--kid", kid), ("--reason", reason)] {
                    if let Some(value) = value {
                        arguments.extend([option.to_owned(), value.clone()]);
                    }
                }
            }
        }
        arguments
    }
}

/// Does it. Succeeds when auth-service did.
pub fn run(paths: &Paths, args: &Args) -> Result<bool, CtlError> {
    let arguments = args.command.arguments();
    if args.env != Env::Local {
        let quoted: Vec<String> = arguments.iter().map(|text| quote(text)).collect();
        ui::note(&format!(
            "the keys of {} are sealed with a key that only its machine has; type there, with the settings of the \
             auth-service unit:",
            args.env.name()
        ));
        ui::say(&format!("auth-service {}", quoted.join(" ")));
        return Ok(true);
    }
    let record = commands::running(paths)?;
    let auth = record
        .parts
        .get(&Part::Auth)
        .filter(|part| part.identity.is_alive())
        .ok_or_else(|| {
            CtlError::Help("auth-service is not running; ./twist up --detach starts it".into())
        })?;
    // The program that runs, with the settings that it runs with.
    let process = PathBuf::from(format!("/proc/{}", auth.identity.pid));
    let program = process.join("exe");
    let status = Program::new(&program)
        .args(arguments)
        .env_clear()
        .envs(environment(&process.join("environ"))?)
        .status()
        .map_err(CtlError::io("run", &program))?;
    Ok(status.success())
}

fn environment(file: &Path) -> Result<Vec<(OsString, OsString)>, CtlError> {
    let bytes = fs::read(file).map_err(CtlError::io("read", file))?;
    Ok(bytes.split(|byte| *byte == 0).filter_map(pair).collect())
}

fn pair(entry: &[u8]) -> Option<(OsString, OsString)> {
    let at = entry.iter().position(|byte| *byte == b'=')?;
    let (name, value) = entry.split_at_checked(at)?;
    let value = value.get(1..)?;
    Some((
        OsString::from_vec(name.to_vec()),
        OsString::from_vec(value.to_vec()),
    ))
}

/// For a shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auth_service_is_told_what_was_typed() {
        let rotate = |now, emergency, kid: Option<&str>| Command::Rotate {
            now,
            emergency,
            kid: kid.map(str::to_owned),
            reason: kid.map(|_| "it's out".to_owned()),
        };
        assert_eq!(Command::List.arguments(), ["keys", "list"]);
        assert_eq!(rotate(false, false, None).arguments(), ["keys", "rotate"]);
        assert_eq!(
            rotate(true, false, None).arguments(),
            ["keys", "rotate", "--now"]
        );
        assert_eq!(
            rotate(false, true, Some("k")).arguments(),
            [
                "keys",
                "rotate",
                "--emergency",
                "--kid",
                "k",
                "--reason",
                "it's out"
            ]
        );
    }

    #[test]
    fn a_command_to_type_means_the_same_in_a_shell() {
        assert_eq!(quote("--kid"), "--kid");
        assert_eq!(quote("it's out; rm"), r"'it'\''s out; rm'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn settings_are_read_as_the_process_has_them() {
        let text = |entry: &[u8]| pair(entry).map(|(n, v)| (n.into_vec(), v.into_vec()));
        assert_eq!(text(b"A=b=c"), Some((b"A".to_vec(), b"b=c".to_vec())));
        assert_eq!(text(b"A="), Some((b"A".to_vec(), b"".to_vec())));
        assert_eq!(text(b""), None);
    }
}
