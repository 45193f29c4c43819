//! Budgets that are broken have to be noticed.

use super::*;
use crate::build::sample;
use attest::Builder;
use std::fs;

const NAMES: [&str; 6] = [
    "auth-service",
    "influencer-api",
    "twist-migrate",
    "twistctl",
    "edge-vau-processor",
    "sbom",
];

fn entry(artifact: &str, measure: &str, max: u64) -> String {
    format!(
        "[[budget]]\nartifact = \"{artifact}\"\nmeasure = \"{measure}\"\nmax = {max}\nreason = \"test\"\n"
    )
}

fn generous() -> String {
    NAMES
        .iter()
        .map(|name| entry(name, "size", 10_000))
        .collect()
}

fn table(builder: Builder, budgets: &str) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let dist = sample::dist(&folder.path().join("dist"), builder);
    check(&dist, &Budgets::parse(budgets).unwrap()).unwrap()
}

fn broken(table: &Table) -> Vec<(&str, Outcome)> {
    let lines = table.lines.iter().filter(|line| !line.is_kept());
    lines
        .map(|line| (line.artifact.as_str(), line.outcome))
        .collect()
}

#[test]
fn a_budget_lowered_below_the_figure_fails_and_names_the_artifact() {
    let kept = table(Builder::Host, &generous());
    assert!(kept.is_kept(), "{kept:?}");
    let figure = kept.lines[3].figure.unwrap();
    assert_eq!(kept.lines[3].artifact, "twistctl");

    let exact = generous().replacen("max = 10000", "max = 1", 0);
    let lowered = |max: u64| {
        exact.replace(
            &entry("twistctl", "size", 10_000),
            &entry("twistctl", "size", max),
        )
    };
    assert!(table(Builder::Host, &lowered(figure)).is_kept());
    let over = table(Builder::Host, &lowered(figure - 1));
    assert_eq!(broken(&over), [("twistctl", Outcome::Over)]);
    assert!(
        over.lines[3].text().contains("OVER"),
        "{}",
        over.lines[3].text()
    );
}

#[test]
fn an_artifact_that_nobody_agreed_on_fails() {
    let without = generous().replace(&entry("sbom", "size", 10_000), "");
    assert_eq!(
        broken(&table(Builder::Host, &without)),
        [("sbom", Outcome::NoBudget)]
    );
}

#[test]
fn what_only_nix_makes_is_missed_in_its_releases_only() {
    let image =
        generous() + &entry("oci-auth-service", "size", 1) + &entry("auth-service", "closure", 1);
    let host = table(Builder::Host, &image);
    assert!(host.is_kept());
    let last = host.lines.last().unwrap();
    assert_eq!((last.outcome, last.figure), (Outcome::NotMeasured, None));
    let nix = table(Builder::Nix, &image);
    assert_eq!(
        broken(&nix),
        [
            ("oci-auth-service", Outcome::Missing),
            ("auth-service", Outcome::Missing)
        ]
    );
    let elsewhere = generous() + &entry("more", "size", 1) + "system = \"aarch64-linux\"\n";
    assert!(table(Builder::Nix, &elsewhere).is_kept());
}

#[test]
fn a_worker_is_counted_as_it_is_uploaded() {
    let both = generous() + &entry("edge-vau-processor", "gzip", 10_000);
    let table = table(Builder::Host, &both);
    let gzip = table.lines.last().unwrap().figure.unwrap();
    let size = table.lines[4].figure.unwrap();
    assert!(
        gzip > 0 && gzip < size / 4,
        "{gzip} of {size}, which repeats itself"
    );
}

#[test]
fn a_figure_is_not_taken_of_a_file_that_is_not_the_manifests() {
    let folder = tempfile::tempdir().unwrap();
    let dist = sample::dist(&folder.path().join("dist"), Builder::Host);
    fs::write(dist.join("twistctl/bin/twistctl"), "small").unwrap();
    let error = check(&dist, &Budgets::parse(&generous()).unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("twistctl/bin/twistctl"),
        "{error}"
    );
}

#[test]
fn a_budget_twice_without_reason_or_of_an_unknown_kind_is_refused() {
    let twice = entry("sbom", "size", 1).repeat(2);
    assert!(
        Budgets::parse(&twice)
            .unwrap_err()
            .contains("sbom (size) has two")
    );
    let silent = entry("sbom", "size", 1).replace("\"test\"", "\" \"");
    assert!(
        Budgets::parse(&silent)
            .unwrap_err()
            .contains("gives no reason")
    );
    for bad in ["weight", "sizes", ""] {
        Budgets::parse(&entry("sbom", bad, 1)).unwrap_err();
    }
    Budgets::parse(&entry("../sbom", "size", 1)).unwrap_err();
    Budgets::parse(&(entry("sbom", "size", 1) + "weight = 3\n")).unwrap_err();
}

#[test]
fn the_committed_budgets_can_be_read_and_cover_what_is_built() {
    let root = crate::Paths::discover().unwrap().root;
    let budgets = Budgets::read(&root.join("budgets.toml")).unwrap();
    for name in NAMES {
        assert!(
            budgets
                .budget
                .iter()
                .any(|budget| budget.artifact.as_str() == name),
            "{name}"
        );
    }
    let (worker, images): (Vec<_>, Vec<_>) = budgets
        .budget
        .iter()
        .filter(|budget| {
            budget.measure == Measure::Gzip || budget.artifact.as_str().starts_with("oci-")
        })
        .partition(|budget| budget.measure == Measure::Gzip);
    assert!(worker.iter().all(|budget| budget.max <= 700 * 1024));
    assert!(
        images
            .iter()
            .all(|budget| budget.measure == Measure::Closure || budget.max <= 40_000_000)
    );
    assert!(!worker.is_empty() && !images.is_empty());
}
