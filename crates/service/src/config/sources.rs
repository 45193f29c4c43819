//! Where values come from: a file, credentials, the environment.

use super::Problems;
use serde_json::{Map, Value};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The variable with the folder of credentials, as systemd sets it.
pub(super) const CREDENTIALS_ENV: &str = "CREDENTIALS_DIRECTORY";

const FILE_SUFFIX: &str = "_file";

/// Values by key, nested as the configuration is.
pub(super) type Tree = Map<String, Value>;

/// The TOML file at `path`.
pub(super) fn file(path: &Path, problems: &mut Problems) -> Tree {
    let place = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.note_elsewhere(&place, format!("cannot be read: {}", error.kind()));
            return Tree::new();
        }
    };
    match toml::from_str(&text) {
        Ok(tree) => tree,
        Err(error) => {
            // The parser's own text shows the line, and with it what may be a secret.
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count().saturating_add(1));
            problems.note_elsewhere(&place, format!("is not TOML in line {line}"));
            Tree::new()
        }
    }
}

/// The files of `folder`, each named as the key whose value it holds. Hidden files and folders are none.
pub(super) fn credentials(folder: &Path, problems: &mut Problems) -> Tree {
    let mut tree = Tree::new();
    let unreadable = |error: &std::io::Error| format!("cannot be read: {}", error.kind());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.note_elsewhere(CREDENTIALS_ENV, unreadable(&error));
            return tree;
        }
    };
    let mut names: Vec<OsString> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let Some(key) = name.to_str().filter(|key| !key.starts_with('.')) else {
            continue;
        };
        if path.is_dir() {
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let steps: Vec<&str> = key.split('.').collect();
                if !put(&mut tree, &steps, typed(without_newline(&text))) {
                    problems.note(key, "a credential names a section; name one of its keys");
                }
            }
            Err(error) => problems.note(key, format!("its credential {}", unreadable(&error))),
        }
    }
    tree
}

/// The variables that start with `prefix` and `__`, and the files that `…_FILE` ones name.
pub(super) fn environment<I>(prefix: &str, variables: I, problems: &mut Problems) -> Tree
where
    I: IntoIterator<Item = (OsString, OsString)>,
{
    let start = format!("{}__", prefix.trim_end_matches('_')).to_ascii_lowercase();
    let mut ours: Vec<(String, String, OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let path = name.to_ascii_lowercase().strip_prefix(&start)?.to_owned();
            Some((path, name, value))
        })
        .collect();
    ours.sort();
    let mut tree = Tree::new();
    let mut set: Vec<String> = Vec::new();
    for (path, name, value) in ours {
        let (path, value) = match path.strip_suffix(FILE_SUFFIX) {
            Some(path) => (path.to_owned(), content(&value)),
            None => (path, text(value)),
        };
        let value = match value {
            Ok(value) => value,
            Err(why) => {
                problems.note_elsewhere(&name, why);
                continue;
            }
        };
        if set.contains(&path) {
            problems.note_elsewhere(&name, "set it or its `_FILE`, not both");
            continue;
        }
        let steps: Vec<&str> = path.split("__").collect();
        if !put(&mut tree, &steps, value) {
            problems.note_elsewhere(&name, "is set as a section and as a value");
        }
        set.push(path);
    }
    tree
}

fn text(value: OsString) -> Result<Value, String> {
    let value = value.into_string().map_err(|_| "is not text".to_owned())?;
    Ok(typed(&value))
}

fn content(path: &OsStr) -> Result<Value, String> {
    std::fs::read_to_string(path)
        .map(|text| typed(without_newline(&text)))
        .map_err(|error| format!("the file it names cannot be read: {}", error.kind()))
}

fn without_newline(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

/// A number or boolean only if it is written in the one form that reads back unchanged, so `0123`,
/// `1e5` and `[x]` stay text.
fn typed(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
    {
        return Value::from(number);
    }
    match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => Value::from(text),
    }
}

/// False when a value stands where a section is needed, or the other way round.
fn put(tree: &mut Tree, steps: &[&str], value: Value) -> bool {
    match steps {
        [] => false,
        [last] => {
            if tree.get(*last).is_some_and(Value::is_object) {
                return false;
            }
            tree.insert((*last).to_owned(), value);
            true
        }
        [head, rest @ ..] => {
            let slot = tree
                .entry((*head).to_owned())
                .or_insert_with(|| Tree::new().into());
            slot.as_object_mut()
                .is_some_and(|inner| put(inner, rest, value))
        }
    }
}
