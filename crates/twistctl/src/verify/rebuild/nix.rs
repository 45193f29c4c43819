//! With Nix: the flake at the manifest's commit, whatever is checked out.

use super::{LEG, failed, none_checked, tail};
use crate::run::{Ended, watch};
use crate::ui::Step;
use crate::verify::{Context, Row};
use crate::{CtlError, Paths};
use attest::{Artifact, Difference, Offset, StorePath, Verdict};
use reqwest::Url;
use std::path::Path;
use std::process::Command;

pub(super) fn check(
    context: &Context,
    paths: &Paths,
    revision: &str,
    system: &str,
    artifacts: &[&Artifact],
) -> Vec<Row> {
    if stack::binaries::on_path("nix").is_none() {
        return none_checked(
            artifacts,
            "nix is not installed; see https://nixos.org/download",
        );
    }
    let Ok(checkout) = Url::from_file_path(&paths.root) else {
        return none_checked(artifacts, "the checkout's path cannot be written as a URL");
    };
    // A shallow clone is enough: no output depends on the history.
    let flake = format!("git+{checkout}?rev={revision}&shallow=1");
    artifacts
        .iter()
        .map(|artifact| {
            let attribute = format!("{flake}#packages.{system}.{}", artifact.name);
            let row = Row::new(LEG, artifact, &attribute);
            match rebuilt(&attribute, artifact.name.as_str()) {
                Ok(Built::Stable(path)) => judge(context, artifact, &path, row),
                Ok(Built::Unstable(output)) => row.verdict(Verdict::Differs(Difference {
                    file: None,
                    offset: Offset::Unknown,
                    expected: "the same bytes from every build".to_owned(),
                    actual: "others".to_owned(),
                    detail: format!("two builds on this machine differ: {output}"),
                })),
                Err(why) => row.not_checked(why),
            }
        })
        .collect()
}

enum Built {
    /// Where; what is there was made on this machine.
    Stable(String),
    /// What Nix says of it.
    Unstable(String),
}

/// Builds it on this machine, also when the result is in the store or in a binary cache already. What it is built from
/// is taken as Nix has it.
fn rebuilt(attribute: &str, name: &str) -> Result<Built, String> {
    let title = format!("rebuild {name}");
    Step::during(title, |step| {
        let out = format!("{attribute}.outPath");
        let evaluated = run(step, &["eval", "--raw", &out])?;
        let path = last_line(&evaluated.stdout).to_owned();
        if StorePath::try_from(path.as_str()).is_err() {
            return Err(format!("nix names {path:?}, which is no store path"));
        }
        let was_there = Path::new(&path).exists();
        run(
            step,
            &["build", "--no-link", "--print-out-paths", attribute],
        )?;
        if !was_there && built_here(step, &path) {
            return Ok(Built::Stable(path));
        }
        // Somebody else's, or an older build: build it once more and let Nix compare.
        let again = nix(step, &["build", "--no-link", "--rebuild", attribute])
            .map_err(|error| failed("nix build --rebuild", &error))?;
        if again.ok {
            Ok(Built::Stable(path))
        } else if again.output.contains("not be deterministic") {
            Ok(Built::Unstable(tail(&again.output)))
        } else {
            Err(format!(
                "nix build --rebuild failed: {}",
                tail(&again.output)
            ))
        }
    })
}

struct Answer {
    stdout: String,
}

fn run(step: &Step, args: &[&str]) -> Result<Answer, String> {
    let what = format!("nix {}", args.first().copied().unwrap_or_default());
    let ended = nix(step, args).map_err(|error| failed(&what, &error))?;
    if ended.ok {
        Ok(Answer {
            stdout: ended.output,
        })
    } else {
        Err(format!("{what} failed: {}", tail(&ended.output)))
    }
}

fn nix(step: &Step, args: &[&str]) -> Result<Ended, CtlError> {
    let mut command = Command::new("nix");
    command
        .args(["--extra-experimental-features", "nix-command flakes"])
        .args(args)
        .env("NO_COLOR", "1");
    // For machines without a network, as in the test suite.
    if let Ok(nixpkgs) = std::env::var("TWIST_NIXPKGS") {
        command.args(["--offline", "--no-write-lock-file"]);
        command.args(["--override-input", "nixpkgs", &format!("path:{nixpkgs}")]);
    }
    watch(command, |line| step.detail(line))
}

/// Whether the store's copy was built on this machine, not fetched.
fn built_here(step: &Step, path: &str) -> bool {
    nix(step, &["path-info", "--json", path])
        .is_ok_and(|ended| ended.ok && ended.output.replace(' ', "").contains("\"ultimate\":true"))
}

/// Warnings come before the answer.
fn last_line(output: &str) -> &str {
    output.lines().last().unwrap_or_default().trim()
}

fn judge(context: &Context, artifact: &Artifact, path: &str, row: Row) -> Row {
    let row = context.compare_path(artifact, Path::new(path), row);
    let stated = artifact.store_path.as_ref().map(StorePath::as_str);
    match other_inputs(&row.verdict, stated, path) {
        Some(note) => row.note(note),
        None => row,
    }
}

/// A store path is a hash of everything that a build started from, most of which leaves no trace in the result.
/// The bytes are what was asked for, so another path is told and changes nothing.
fn other_inputs(verdict: &Verdict, stated: Option<&str>, path: &str) -> Option<String> {
    let stated = stated.filter(|stated| *stated != path)?;
    (*verdict == Verdict::Match).then(|| {
        format!("built from other inputs: store path {path}, and the manifest's is {stated}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_at_another_store_path_are_equal_and_the_path_is_told() {
        let note = other_inputs(&Verdict::Match, Some("/nix/store/a"), "/nix/store/b").unwrap();
        assert!(note.contains("/nix/store/a") && note.contains("/nix/store/b"));
        assert!(other_inputs(&Verdict::Match, Some("/nix/store/a"), "/nix/store/a").is_none());
        assert!(other_inputs(&Verdict::Match, None, "/nix/store/a").is_none());
        let missing = Verdict::Missing(String::new());
        assert!(other_inputs(&missing, Some("/nix/store/a"), "/nix/store/b").is_none());
    }
}
