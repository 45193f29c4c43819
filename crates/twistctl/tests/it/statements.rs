//! Manifests whose files are right and that say something else of them.

use crate::kit::Release;
use crate::kit::image::{Image, gzip, tar};
use crate::kit::release::{image, put};
use std::fs;

fn dist(release: &Release) -> String {
    release.dist().display().to_string()
}

#[test]
fn a_manifest_that_names_another_image_than_its_archive_has_is_no_yes() {
    let release = Release::new();
    let other = Image::of("auth-service", b"other", b"other");
    let path = release.home().join("other.tar");
    fs::write(&path, other.docker_archive()).unwrap();
    let named = twistctl::artifact::oci::read(&path).unwrap().image;
    release.change_manifest(|draft| {
        let image = draft.artifacts.iter_mut().find(|all| all.image.is_some());
        image.unwrap().image = Some(named);
    });
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let row = answer.row("oci-auth-service");
    let reason = row["reason"].as_str().unwrap();
    assert!(
        reason.contains("the image in them is another one"),
        "{reason}"
    );
    assert_eq!(answer.row("sbom")["verdict"], "match");
}

#[test]
fn a_manifest_whose_image_archive_holds_no_image_is_no_yes() {
    let release = Release::new();
    let archive = release.dist().join("oci-auth-service/image.tar.gz");
    let named = release
        .parsed()
        .artifact("oci-auth-service")
        .unwrap()
        .clone();
    let mut layers = image().docker_entries();
    layers.retain(|entry| entry.name != "manifest.json");
    fs::write(&archive, gzip(&tar(&layers))).unwrap();
    let node = twistctl::artifact::walk::read(&release.dist().join("oci-auth-service")).unwrap();
    release.change_manifest(|draft| {
        let name = &named.name;
        let artifact = draft.artifacts.iter_mut().find(|all| all.name == *name);
        let artifact = artifact.unwrap();
        artifact.files = node.entries().unwrap();
        artifact.nar_hash = node.nar_hash();
    });
    let answer = release.verify(&["--dist", &dist(&release)]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stdout.contains("there is no image in them"));
}

#[test]
fn a_program_hash_that_is_not_the_programs_is_no_yes() {
    let release = Release::new();
    let program = release.dist().join("vault");
    put(&program, "vault.so", b"\x7fELF code\0\0", false);
    let node = twistctl::artifact::walk::read(&program).unwrap();
    for (elf, code) in [(&b"\x7fELF code"[..], 0), (b"\x7fELF other", 1)] {
        release.change_manifest(|draft| {
            draft.artifacts.retain(|all| all.name.as_str() != "vault");
            let mut vault = draft.artifacts[0].clone();
            vault.name = "vault".try_into().unwrap();
            vault.kind = attest::Kind::Program;
            vault.canonical_system = attest::System::X8664Linux;
            vault.files = node.entries().unwrap();
            vault.nar_hash = node.nar_hash();
            vault.program_hash = Some(attest::program_hash(elf));
            draft.artifacts.push(vault);
        });
        let answer = release.verify(&["--dist", &dist(&release)]);
        assert_eq!(answer.code, code, "{answer:?}");
    }
}
