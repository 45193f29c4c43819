//! The variables: each is explained, none is a secret that works.

use super::file::{Compose, Reference, example, references, text};
use std::collections::{BTreeMap, BTreeSet};

/// Values that must not be in any file of the repository.
fn is_secret(name: &str) -> bool {
    ["PASSWORD", "SECRET", "KEY"]
        .iter()
        .any(|word| name.contains(word))
}

fn used() -> BTreeSet<Reference> {
    references(&text("docker-compose.backend.yml"))
}

#[test]
fn every_variable_is_in_the_example_and_none_is_there_for_nothing() {
    let used: BTreeSet<String> = used().into_iter().map(|used| used.name).collect();
    let explained: BTreeSet<String> = example().into_keys().collect();
    assert_eq!(used, explained);
    assert!(used.len() > 10, "{used:?}");
}

#[test]
fn every_variable_has_a_comment_above_it() {
    let text = text(".env.backend.example");
    let mut explained = false;
    for line in text.lines() {
        if line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else {
            // Variables that stand together share one comment.
            assert!(explained, "{line}");
        }
    }
}

#[test]
fn no_secret_has_a_value_and_compose_stops_without_one() {
    let example = example();
    let secrets: Vec<_> = used()
        .into_iter()
        .filter(|used| is_secret(&used.name))
        .collect();
    assert!(secrets.len() >= 6, "{secrets:?}");
    for secret in secrets {
        assert_eq!(example[&secret.name], "", "{}", secret.name);
        assert_eq!(secret.default, None, "{}", secret.name);
        assert!(secret.message.is_some(), "{}", secret.name);
    }
}

#[test]
fn a_variable_without_a_default_is_required_and_a_default_is_the_example_s() {
    let example = example();
    for used in used() {
        match (&used.default, &used.message) {
            (Some(default), None) => assert_eq!(default, &example[&used.name], "{used:?}"),
            (None, Some(message)) => assert!(!message.is_empty(), "{used:?}"),
            _ => panic!("{used:?} would be empty when it is forgotten"),
        }
    }
}

#[test]
fn what_a_container_takes_as_a_secret_is_never_written_into_the_file() {
    for (name, service) in Compose::read().services() {
        let environment = service["environment"].as_object().unwrap();
        for (variable, value) in environment {
            let value = value.as_str().unwrap();
            let (_, authority) = value.split_once("://").unwrap_or_default();
            if is_secret(variable) || variable == "REDISCLI_AUTH" {
                assert!(
                    value.starts_with("${") && value.ends_with('}'),
                    "{name}: {variable}"
                );
            } else if let Some((login, _)) = authority.split_once('@') {
                let (_, password) = login.split_once(':').unwrap();
                let whole = password.starts_with("${") && password.ends_with('}');
                assert!(whole, "{name}: {variable}");
            }
        }
    }
}

#[test]
fn the_reader_of_this_test_finds_what_compose_would_find() {
    let variables =
        [("A", "1"), ("C", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables = BTreeMap::from(variables);
    let text = "x${A:?why}-${B:-b}-${A}-${C-c}-${C:-c}-${D-d}y";
    assert_eq!(super::file::fill(text, &variables), "x1-b-1--c-dy");
    let names: Vec<_> = references(text).into_iter().map(|r| r.name).collect();
    assert_eq!(names, ["A", "A", "B", "C", "C", "D"]);
}
