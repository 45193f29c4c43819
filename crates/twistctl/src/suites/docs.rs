//! The documentation: its links lead somewhere, and its list of error codes is the code's.

use crate::suites::{Done, Tally};
use crate::{CtlError, Paths};
use contracts::Code;
use std::fs;
use std::path::Path;

/// The page that lists every error code.
const ERRORS_PAGE: &str = "docs/reference/errors.md";

pub(super) fn check(paths: &Paths) -> Done {
    let mut tally = Tally::default();
    let mut output = Vec::new();
    let mut note = |broken: Vec<String>| {
        tally = tally.plus(Tally::of(broken.is_empty()));
        output.extend(broken);
    };
    for file in super::nix::files(&paths.root)? {
        if file.extension().is_some_and(|ext| ext == "md") {
            let text = fs::read_to_string(&file).map_err(CtlError::io("read", &file))?;
            note(dead_links(&file, &text));
        }
    }
    let page = paths.root.join(ERRORS_PAGE);
    let text = fs::read_to_string(&page).map_err(CtlError::io("read", &page))?;
    note(missing_codes(&text));
    Ok((tally.checked(true), output.join("\n")))
}

/// Links to files of the repository that are not there. Links to the web are not followed.
fn dead_links(file: &Path, text: &str) -> Vec<String> {
    let folder = file.parent().unwrap_or(file);
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !folder.join(target).exists())
        .map(|target| format!("{}: no such file: {target}", file.display()))
        .collect()
}

/// Codes whose row, with the right status, is not on the page.
fn missing_codes(page: &str) -> Vec<String> {
    let row = |code: &Code| format!("| `{code}` | {} | ", code.status());
    let missing = Code::ALL.iter().filter(|code| !page.contains(&row(code)));
    missing
        .map(|code| {
            format!(
                "{ERRORS_PAGE}: no row for `{code}` with status {}",
                code.status()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_into_nothing_is_found_and_a_good_one_is_not() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let good = "[a](Cargo.toml) [b](Cargo.toml#x) [c](https://example.org/x) [d](#here)";
        assert_eq!(dead_links(&here, good), Vec::<String>::new());
        assert_eq!(
            dead_links(&here, "see [a](Cargo.toml) and [b](nothing.md)").len(),
            1
        );
    }

    #[test]
    fn a_code_that_changed_its_status_is_missed_on_the_page() {
        let all: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("| `{code}` | {} | x |", code.status()))
            .collect();
        assert_eq!(missing_codes(&all.join("\n")), Vec::<String>::new());
        let changed = all
            .join("\n")
            .replace("| `vau.stale` | 400 |", "| `vau.stale` | 410 |");
        assert_eq!(missing_codes(&changed).len(), 1);
    }
}
