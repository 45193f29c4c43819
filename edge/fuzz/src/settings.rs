//! The environment of a deployment.

use crate::parts::text;
use edge_core::attestation::Policy;
use edge_core::bindings::{SECRETS, guard};
use edge_core::{GuardSettings, Settings, audit, cohort};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Stands in front of every secret.
const MARK: &str = "mark-5c1f2b";

/// `NAME=value`, a line each. Neither the settings nor what is wrong with them, printed, tell a secret.
pub(crate) fn read(input: &[u8]) {
    let text = text(input);
    let mut values: BTreeMap<&str, String> = text
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.replace("\\n", "\n")))
        .collect();
    read_all(&values);
    for (name, value) in &mut values {
        let is_secret = SECRETS.contains(name) || guard::SECRETS.contains(name);
        if is_secret && !value.starts_with(['{', '-']) {
            value.insert_str(0, MARK);
        } else if is_secret {
            *value = value.replacen(":\"", &format!(":\"{MARK}"), 1);
        }
    }
    read_all(&values);
}

fn read_all(values: &BTreeMap<&str, String>) {
    let value = |name: &str| values.get(name).cloned();
    tells_nothing(Settings::read(value));
    tells_nothing(GuardSettings::read(value));
    tells_nothing(audit::Config::read(value));
    tells_nothing(cohort::Config::read(value));
    tells_nothing(Policy::read(value));
}

fn tells_nothing<T: Debug>(read: Result<T, edge_core::SettingsError>) {
    let printed = match read {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!printed.contains(MARK), "a secret is printed");
}
