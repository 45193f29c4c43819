//! Budgets that are broken have to be noticed.

use super::*;
use crate::build::sample;
use attest::{Builder, System};
use std::fs;

const NAMES: [&str; 8] = [
    "auth-service",
    "influencer-api",
    "settlement-worker",
    "twist-migrate",
    "twistctl",
    "edge-security-worker",
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
    let figure = kept.lines[4].figure.unwrap();
    assert_eq!(kept.lines[4].artifact, "twistctl");

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
        over.lines[4].text().contains("OVER"),
        "{}",
        over.lines[4].text()
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

/// The sample with what only Nix knows, changed by `change`.
fn nix_table(budgets: &Budgets, change: impl FnOnce(&mut attest::Draft)) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let dist = sample::dist(&folder.path().join("dist"), Builder::Nix);
    let file = dist.join(MANIFEST);
    let manifest = Manifest::parse(&fs::read(&file).unwrap()).unwrap();
    let mut draft = manifest.draft().clone();
    for artifact in &mut draft.artifacts {
        artifact.closure_size = Some(40_000_000);
    }
    change(&mut draft);
    fs::write(&file, draft.finish().unwrap().to_bytes().unwrap()).unwrap();
    check(&dist, budgets).unwrap()
}

fn complete() -> String {
    let closures = NAMES[..5]
        .iter()
        .map(|name| entry(name, "closure", 50_000_000));
    let workers = NAMES[5..7].iter().map(|name| entry(name, "gzip", 10_000));
    generous() + &closures.chain(workers).collect::<String>()
}

#[test]
fn what_only_nix_makes_is_missed_in_its_releases_only() {
    let image = complete() + &entry("oci-auth-service", "size", 1);
    let host = table(Builder::Host, &image);
    assert!(host.is_kept(), "{host:?}");
    let last = host.lines.last().unwrap();
    assert_eq!((last.outcome, last.figure), (Outcome::NotMeasured, None));
    let nix = nix_table(&Budgets::parse(&image).unwrap(), |_| {});
    assert_eq!(broken(&nix), [("oci-auth-service", Outcome::Missing)]);
    let unknown = nix_table(&Budgets::parse(&complete()).unwrap(), |draft| {
        draft.artifacts[0].closure_size = None;
    });
    assert_eq!(unknown.lines[8].measure, Some(Measure::Closure));
    assert_eq!(broken(&unknown), [("auth-service", Outcome::Missing)]);
    let elsewhere = complete() + &entry("more", "size", 1) + "system = \"aarch64-linux\"\n";
    assert!(nix_table(&Budgets::parse(&elsewhere).unwrap(), |_| {}).is_kept());
}

#[test]
fn a_program_that_a_host_build_lacks_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let dist = sample::dist(&folder.path().join("dist"), Builder::Host);
    let file = dist.join(MANIFEST);
    let manifest = Manifest::parse(&fs::read(&file).unwrap()).unwrap();
    let mut draft = manifest.draft().clone();
    draft
        .artifacts
        .retain(|artifact| artifact.name.as_str() != "auth-service");
    fs::write(&file, draft.finish().unwrap().to_bytes().unwrap()).unwrap();
    let table = check(&dist, &Budgets::parse(&complete()).unwrap()).unwrap();
    assert_eq!(
        broken(&table),
        [
            ("auth-service", Outcome::Missing),
            ("auth-service", Outcome::Missing)
        ]
    );
}

#[test]
fn a_release_without_a_closure_or_gzip_budget_fails() {
    let complete = complete();
    for (name, measure, max) in [
        ("twistctl", "closure", 50_000_000),
        ("auth-service", "closure", 50_000_000),
        ("edge-vau-processor", "gzip", 10_000),
    ] {
        let without = complete.replace(&entry(name, measure, max), "");
        let table = nix_table(&Budgets::parse(&without).unwrap(), |_| {});
        assert_eq!(broken(&table), [(name, Outcome::NoBudget)]);
        let text = table.lines.last().unwrap().text();
        assert!(
            text.contains(measure) && text.contains("NO BUDGET"),
            "{text}"
        );
    }
}

/// The release of a system, with the images that the committed budgets name.
fn released(system: System) -> Table {
    let root = crate::Paths::discover().unwrap().root;
    let budgets = Budgets::read(&root.join("budgets.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dist = sample::dist(&folder.path().join("dist"), Builder::Nix);
    let file = dist.join(MANIFEST);
    let manifest = Manifest::parse(&fs::read(&file).unwrap()).unwrap();
    let mut draft = manifest.draft().clone();
    let sbom = manifest.artifact("sbom").unwrap().clone();
    for image in [
        "oci-auth-service",
        "oci-influencer-api",
        "oci-settlement-worker",
        "oci-twist-migrate",
    ] {
        let mut artifact = sbom.clone();
        artifact.name = attest::ArtifactName::try_from(image).unwrap();
        draft.artifacts.push(artifact);
        let (from, to) = (dist.join("sbom"), dist.join(image));
        fs::create_dir(&to).unwrap();
        fs::copy(from.join("twist.cdx.json"), to.join("twist.cdx.json")).unwrap();
    }
    draft.system = system;
    for artifact in &mut draft.artifacts {
        artifact.closure_size = Some(40_000_000);
        if artifact.kind != attest::Kind::Worker {
            artifact.canonical_system = system;
        }
    }
    if system != System::X8664Linux {
        draft
            .artifacts
            .retain(|artifact| artifact.kind != attest::Kind::Worker);
    }
    fs::write(&file, draft.finish().unwrap().to_bytes().unwrap()).unwrap();
    check(&dist, &budgets).unwrap()
}

#[test]
fn the_committed_budgets_cover_a_release_of_every_system() {
    for system in [System::X8664Linux, System::Aarch64Linux] {
        let table = released(system);
        assert!(table.is_kept(), "{system}: {:?}", broken(&table));
        let skipped = table
            .lines
            .iter()
            .filter(|line| line.outcome == Outcome::NotMeasured);
        let skipped: Vec<&str> = skipped.map(|line| line.artifact.as_str()).collect();
        match system {
            System::X8664Linux => assert!(skipped.is_empty(), "{skipped:?}"),
            System::Aarch64Linux => {
                let twice = |name| [name; 2];
                assert_eq!(skipped, [twice(NAMES[5]), twice(NAMES[6])].concat());
            }
        }
    }
}

#[test]
fn a_worker_is_counted_as_it_is_uploaded() {
    let both = generous() + &entry("edge-vau-processor", "gzip", 10_000);
    let table = table(Builder::Host, &both);
    let gzip = table.lines.last().unwrap().figure.unwrap();
    let size = table.lines[6].figure.unwrap();
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
