//! `--oci` with good images, however they are packed, and with other images.

use crate::kit::image::{Entry, Image, descriptor, gzip, sha256, tar, unpack};
use crate::kit::release::{flip, image};
use crate::kit::{Release, noise};
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use tar::EntryType;
use twistctl::artifact::oci;

fn put(release: &Release, name: &str, bytes: &[u8]) -> String {
    let path = release.home().join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn the_same_image_is_equal_in_every_packing() {
    let release = Release::new();
    let image = image();
    for (name, entries) in [
        ("layout", image.oci_entries(false)),
        ("layout-gz", image.oci_entries(true)),
        ("docker", image.docker_entries()),
        (
            "both",
            [image.docker_entries(), image.oci_entries(true)].concat(),
        ),
    ] {
        let archive = tar(&entries);
        let folder = release.home().join(name);
        unpack(&entries, &folder);
        for path in [
            put(&release, &format!("{name}.tar"), &archive),
            put(&release, &format!("{name}.tar.gz"), &gzip(&archive)),
            folder.display().to_string(),
        ] {
            let answer = release.verify(&["--oci", &path]);
            assert_eq!(answer.code, 0, "{path}: {answer:?}");
            let row = answer.row("oci-auth-service");
            assert_eq!(row["verdict"], "match");
            // The release's own is a docker-archive in gzip.
            let alike = path.ends_with("docker.tar.gz");
            let said = if alike {
                "so is the archive"
            } else {
                "another archive"
            };
            assert!(
                row["note"].as_str().unwrap().contains(said),
                "{path}: {row}"
            );
        }
    }
}

#[test]
fn the_releases_own_archive_is_equal_as_a_file_too() {
    let release = Release::new();
    let folder = release.dist().join("oci-auth-service");
    for path in [folder.join("image.tar.gz"), folder] {
        let answer = release.verify(&["--oci", &path.display().to_string()]);
        assert_eq!(answer.code, 0);
        let note = answer.row("oci-auth-service")["note"].clone();
        assert!(
            note.as_str().unwrap().contains("so is the archive"),
            "{note}"
        );
    }
}

#[test]
fn links_between_layers_of_an_archive_are_followed_inside_of_it() {
    let image = image();
    for (kind, target) in [
        (EntryType::Symlink, "../real/layer.tar"),
        (EntryType::Symlink, ".././/real/layer.tar"),
        (EntryType::Link, "real/layer.tar"),
    ] {
        let mut entries = image.docker_entries();
        let layer = entries
            .iter_mut()
            .find(|entry| entry.name == "0/layer.tar")
            .unwrap();
        let bytes = std::mem::take(&mut layer.bytes);
        (layer.kind, layer.target) = (kind, target.into());
        entries.push(Entry::file("./real/layer.tar", &bytes));
        entries.push(Entry::special("real/", EntryType::Directory, ""));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.tar");
        fs::write(&path, tar(&entries)).unwrap();
        let read = oci::read(&path).unwrap();
        assert_eq!(read.layers, image.layers);
        assert_eq!(read.config, image.config);
    }
}

#[test]
fn an_index_in_an_index_leads_to_the_image() {
    let image = image();
    let mut entries = image.oci_entries(true);
    let inner = entries.pop().unwrap();
    let kind = "application/vnd.oci.image.index.v1+json";
    let outer = json!({ "schemaVersion": 2, "manifests": [descriptor(kind, &inner.bytes)] });
    entries.push(Entry::file(
        &format!("blobs/sha256/{}", sha256(&inner.bytes)),
        &inner.bytes,
    ));
    entries.push(Entry::file("index.json", outer.to_string().as_bytes()));
    let folder = tempfile::tempdir().unwrap();
    unpack(&entries, folder.path());
    assert_eq!(oci::read(folder.path()).unwrap().config, image.config);
}

/// The release's image with one byte of the program changed, and all hashes made again.
fn other_program(at: usize) -> Image {
    let mut program = noise(70_000, 12);
    program[at] ^= 1;
    Image::of("auth-service", &noise(9_000, 11), &program)
}

#[test]
fn an_image_with_one_other_byte_is_named_by_layer_file_and_byte() {
    let release = Release::new();
    let good = release.good().display().to_string();
    let path = put(
        &release,
        "other.tar",
        &other_program(66_666).docker_archive(),
    );
    // By its own name, as its id is not the manifest's.
    let answer = release.verify(&["--oci", &path, "--reference", &good]);
    assert_eq!(answer.code, 1);
    let row = answer.row("oci-auth-service");
    assert_eq!(row["difference"]["file"], "layer 2: bin/auth-service");
    assert_eq!(row["difference"]["offset"]["at"], 66_666);
    // Without a good copy, the layer.
    let answer = release.verify(&["--oci", &path]);
    assert_eq!(answer.code, 1);
    let row = answer.row("oci-auth-service");
    assert_eq!(row["difference"]["file"], "layer 2");
    assert_eq!(
        row["difference"]["expected"],
        sha256(&image().layers[1]),
        "both hashes are told"
    );
}

#[test]
fn another_configuration_of_the_same_layers_is_a_difference() {
    let release = Release::new();
    let good = release.good().display().to_string();
    let mut other = image();
    let text = String::from_utf8(other.config)
        .unwrap()
        .replace("amd64", "arm64");
    other.config = text.into_bytes();
    let path = put(&release, "other.tar", &other.docker_archive());
    let answer = release.verify(&["--oci", &path, "--reference", &good]);
    assert_eq!(answer.code, 1);
    let row = answer.row("oci-auth-service");
    assert_eq!(row["difference"]["file"], "config");
    assert!(row["difference"]["offset"]["at"].is_u64());
}

#[test]
fn a_layer_too_many_or_in_another_order_is_a_difference() {
    let release = Release::new();
    let mut layers = image().layers;
    layers.push(tar(&[Entry::file("extra", b"x")]));
    let more = Image::with_layers("auth-service", layers);
    let mut layers = image().layers;
    layers.reverse();
    let turned = Image::with_layers("auth-service", layers);
    for (name, image) in [("more.tar", more), ("turned.tar", turned)] {
        let path = put(&release, name, &image.docker_archive());
        let answer = release.verify(&["--oci", &path]);
        assert_eq!(answer.code, 1, "{name}");
        assert_eq!(answer.row("oci-auth-service")["verdict"], "differs");
    }
}

#[test]
fn an_image_that_the_manifest_does_not_know_is_never_equal() {
    let release = Release::new();
    let stranger = Image::of("stranger", b"a", b"b");
    let path = put(&release, "stranger.tar", &stranger.docker_archive());
    let answer = release.verify(&["--oci", &path]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stdout
            .contains("names no image with this configuration")
    );
    // And under the name of a known one it is that one's difference.
    let answer = release.verify(&["--oci", &format!("oci-auth-service={path}")]);
    assert_eq!(answer.code, 1);
    assert_eq!(answer.row("oci-auth-service")["verdict"], "differs");
}

#[test]
fn no_image_at_that_path_is_missing() {
    let release = Release::new();
    let answer = release.verify(&["--oci", "nowhere.tar"]);
    assert_eq!(answer.code, 3);
}

#[test]
fn a_flipped_bit_in_the_archive_is_found_where_it_is() {
    let release = Release::new();
    let good = release.good().display().to_string();
    let path: PathBuf = release.home().join("image.tar.gz");
    fs::copy(release.dist().join("oci-auth-service/image.tar.gz"), &path).unwrap();
    let middle = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap() / 2;
    flip(&path, middle, 3);
    let given = path.display().to_string();
    let answer = release.verify(&["--oci", &given, "--reference", &good]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let row = answer.row("oci-auth-service");
    assert_eq!(row["difference"]["file"], "image.tar.gz");
    assert_eq!(row["difference"]["offset"]["at"], middle);
}

#[test]
fn a_flipped_bit_of_a_layer_in_another_packing_is_found_in_its_file() {
    let release = Release::new();
    let good = release.good().display().to_string();
    let mut entries = image().docker_entries();
    let layer = entries
        .iter_mut()
        .find(|entry| entry.name == "1/layer.tar")
        .unwrap();
    // Behind the two headers and the first file's only block.
    layer.bytes[512 * 3 + 4_444] ^= 8;
    let path = put(&release, "flipped.tar", &tar(&entries));
    let answer = release.verify(&["--oci", &path, "--reference", &good]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let row = answer.row("oci-auth-service");
    assert_eq!(row["difference"]["file"], "layer 2: bin/auth-service");
    assert_eq!(row["difference"]["offset"]["at"], 4_444);
}

#[test]
fn two_images_in_one_archive_are_refused_by_name() {
    let release = Release::new();
    let image = image();
    let mut entries = image.docker_entries();
    let manifest = entries.last_mut().unwrap();
    let one: serde_json::Value = serde_json::from_slice(&manifest.bytes).unwrap();
    let mut other = one[0].clone();
    other["RepoTags"] = json!(["evil:1"]);
    manifest.bytes = json!([one[0], other]).to_string().into_bytes();
    let docker = put(&release, "two.tar", &tar(&entries));

    let mut entries = image.oci_entries(false);
    let index = entries.last_mut().unwrap();
    let mut two: serde_json::Value = serde_json::from_slice(&index.bytes).unwrap();
    let mut other = two["manifests"][0].clone();
    other["annotations"] = json!({ "org.opencontainers.image.ref.name": "evil:1" });
    two["manifests"].as_array_mut().unwrap().push(other);
    index.bytes = two.to_string().into_bytes();
    let oci = put(&release, "two-oci.tar", &tar(&entries));

    for path in [docker, oci] {
        let answer = release.verify(&["--oci", &path]);
        assert_eq!(answer.code, 5);
        assert!(answer.stdout.contains("2 images") && answer.stdout.contains("evil:1"));
    }
}
