//! Against the workspace itself, as cargo sees it.

use super::*;
use crate::Paths;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

fn cargo(args: &[&str]) -> String {
    let root = Paths::discover().unwrap().root;
    let output = Command::new("cargo")
        .args(args)
        .args(["--locked", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn metadata() -> String {
    let mut args = vec!["metadata", "--format-version", "1"];
    for triple in [triple(System::X8664Linux), WASM_TRIPLE] {
        args.extend(["--filter-platform", triple]);
    }
    cargo(&args)
}

fn lock() -> String {
    std::fs::read_to_string(Paths::discover().unwrap().root.join("Cargo.lock")).unwrap()
}

fn bill(metadata: &str, roots: &[&str], closure: Option<&str>) -> String {
    let roots: Vec<String> = roots.iter().map(|root| (*root).to_owned()).collect();
    let bytes = make(Inputs {
        metadata: metadata.as_bytes(),
        lock: &lock(),
        closure: closure.map(str::as_bytes),
        roots: &roots,
        system: System::X8664Linux,
    })
    .unwrap();
    String::from_utf8(bytes).unwrap()
}

fn names(document: &str, scope: &str) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(document).unwrap();
    let components = document["components"].as_array().unwrap().iter();
    components
        .filter(|component| component["scope"] == scope)
        .map(|component| {
            format!(
                "{} {}",
                component["name"].as_str().unwrap(),
                component["version"].as_str().unwrap()
            )
        })
        .collect()
}

/// What cargo itself says is compiled for `package`.
fn tree(package: &str, target: &str, edges: &str) -> BTreeSet<String> {
    let format = "{p}";
    let args = [
        "tree", "-p", package, "--target", target, "-e", edges, "--prefix", "none", "--format",
        format,
    ];
    let printed = cargo(&args);
    let crates = printed.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some(format!("{name} {}", rest.split_whitespace().next()?))
    });
    crates.collect()
}

#[test]
fn nothing_that_is_shipped_is_missing_and_nothing_of_the_tests_is_listed() {
    let metadata = metadata();
    let document = bill(&metadata, &[], None);
    let shipped = names(&document, "required");
    let mut all = names(&document, "excluded");
    all.extend(shipped.iter().cloned());
    let host = triple(System::X8664Linux);
    let artifacts = [
        ("auth-service", host),
        ("influencer-api", host),
        ("settlement-worker", host),
        ("migrations", host),
        ("twistctl", host),
        ("vau-processor", WASM_TRIPLE),
    ];
    for (package, target) in artifacts {
        let inside = tree(package, target, "normal,no-proc-macro");
        assert!(inside.len() > 20, "{package}: {inside:?}");
        let missing: Vec<_> = inside.difference(&shipped).collect();
        assert!(missing.is_empty(), "{package} contains {missing:?}");
        let used = tree(package, target, "normal,build");
        let missing: Vec<_> = used.difference(&all).collect();
        assert!(missing.is_empty(), "{package} is built with {missing:?}");
    }
    for stranger in ["testkit", "proptest", "edge-bundler", "windows-sys"] {
        let found = all
            .iter()
            .find(|name| name.starts_with(&format!("{stranger} ")));
        assert_eq!(found, None);
    }
}

#[test]
fn a_program_is_not_blamed_for_what_another_contains() {
    let metadata = metadata();
    let one = names(&bill(&metadata, &["migrations"], None), "required");
    assert!(one.iter().any(|name| name.starts_with("sea-orm ")));
    assert!(
        !one.iter()
            .any(|name| name.starts_with("fred ") || name.starts_with("worker "))
    );
}

#[test]
fn the_folder_of_the_checkout_does_not_show() {
    let metadata = metadata();
    let root = Paths::discover().unwrap().root.display().to_string();
    let home = crate::build::cargo_home().display().to_string();
    let elsewhere = metadata
        .replace(&root, "/somewhere/else entirely/twist")
        .replace(&home, "/another/cargo");
    assert_ne!(metadata, elsewhere);
    let document = bill(&metadata, &[], None);
    assert_eq!(document, bill(&elsewhere, &[], None));
    assert!(!document.contains(&root) && !document.contains(&home));
}

#[test]
fn every_reference_leads_to_a_component_and_every_download_has_its_checksum() {
    let document: Value = serde_json::from_str(&bill(&metadata(), &[], None)).unwrap();
    let components = document["components"].as_array().unwrap();
    let known: BTreeSet<&str> = components
        .iter()
        .chain([&document["metadata"]["component"]])
        .map(|component| component["bom-ref"].as_str().unwrap())
        .collect();
    assert_eq!(
        known.len(),
        components.len() + 1,
        "a reference is used twice"
    );
    let dependencies = document["dependencies"].as_array().unwrap();
    assert_eq!(dependencies.len(), known.len());
    for dependency in dependencies {
        let on = dependency["dependsOn"].as_array();
        let refs = on.into_iter().flatten().chain([&dependency["ref"]]);
        for reference in refs {
            assert!(known.contains(reference.as_str().unwrap()), "{reference}");
        }
    }
    let lock = lock();
    for component in components {
        let purl = component["purl"].as_str().unwrap();
        assert!(
            !component["licenses"].as_array().unwrap().is_empty(),
            "{purl}"
        );
        if purl.starts_with("pkg:cargo/") {
            let hash = component["hashes"][0]["content"].as_str().unwrap();
            assert!(hash.len() == 64 && lock.contains(hash), "{purl}");
        }
    }
    let serial = document["serialNumber"].as_str().unwrap();
    assert!(
        serial.starts_with("urn:uuid:") && serial.as_bytes()[23] == b'5',
        "{serial}"
    );
}

#[test]
fn the_serial_number_changes_with_the_content() {
    let metadata = metadata();
    let serial = |roots: &[&str]| {
        let document: Value = serde_json::from_str(&bill(&metadata, roots, None)).unwrap();
        document["serialNumber"].as_str().unwrap().to_owned()
    };
    assert_ne!(serial(&["auth-service"]), serial(&["influencer-api"]));
    assert_eq!(serial(&["auth-service"]), serial(&["auth-service"]));
}

#[test]
fn paths_of_the_nix_store_are_listed_with_what_they_refer_to() {
    let path =
        |hash: char, name: &str| format!("/nix/store/{}-{name}", hash.to_string().repeat(32));
    let (service, glibc) = (path('a', "auth-service-0.1.0"), path('b', "glibc-2.40-66"));
    let closure = serde_json::json!({ "plan": 1, "closure": [
        { "path": service, "narHash": "sha256:1", "narSize": 7, "references": [glibc, service], "valid": true },
        { "path": glibc, "narHash": "sha256:2", "narSize": 8, "references": [glibc] },
    ]});
    let document = bill(&metadata(), &["auth-service"], Some(&closure.to_string()));
    let document: Value = serde_json::from_str(&document).unwrap();
    let components = document["components"].as_array().unwrap();
    let glibc_ref = glibc.replace("/nix/store/", "nix:");
    let found = components
        .iter()
        .find(|component| component["bom-ref"] == glibc_ref.as_str())
        .unwrap();
    assert_eq!(
        (&found["name"], &found["version"]),
        (&"glibc".into(), &"2.40-66".into())
    );
    assert!(found["properties"].to_string().contains("sha256:2"));
    let needs = |reference: &str| {
        let dependencies = document["dependencies"].as_array().unwrap();
        let found = dependencies
            .iter()
            .find(|needs| needs["ref"] == reference)
            .unwrap();
        found["dependsOn"].clone()
    };
    let service_ref = service.replace("/nix/store/", "nix:");
    assert_eq!(needs(&service_ref), serde_json::json!([glibc_ref]));
    let whole = needs("twist");
    assert!(
        whole
            .as_array()
            .unwrap()
            .contains(&service_ref.as_str().into())
    );
    assert!(
        !whole
            .as_array()
            .unwrap()
            .contains(&glibc_ref.as_str().into())
    );
}

#[test]
fn what_cannot_be_a_bill_of_this_workspace_is_refused() {
    let metadata = metadata();
    let lock = lock();
    let inputs = Inputs {
        metadata: metadata.as_bytes(),
        lock: &lock,
        closure: None,
        roots: &[],
        system: System::X8664Linux,
    };
    let strange = ["no-such-crate".to_owned()];
    let named = make(Inputs {
        roots: &strange,
        ..inputs
    });
    assert!(matches!(named, Err(SbomError::NoSuchRoot(name)) if name == "no-such-crate"));
    let empty = make(Inputs {
        lock: "version = 4\npackage = []\n",
        ..inputs
    });
    assert!(matches!(empty, Err(SbomError::NoChecksum(_))));
    assert!(matches!(
        make(Inputs {
            metadata: b"{}",
            ..inputs
        }),
        Err(SbomError::Metadata(_))
    ));
}
