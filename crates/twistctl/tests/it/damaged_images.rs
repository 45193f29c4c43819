//! Archives that are damaged, contradict themselves, or were made to do harm.

use crate::kit::image::{Entry, Image, gzip, sha256, tar, unpack};
use crate::kit::release::image;
use crate::kit::{Release, cases};
use proptest::prelude::*;
use serde_json::Value;
use std::fs;
use tar::EntryType;
use twistctl::artifact::oci::{self, OciError};

fn read(bytes: &[u8]) -> Result<oci::ReadImage, OciError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    fs::write(&path, bytes).unwrap();
    oci::read(&path)
}

fn refused(bytes: &[u8], said: &str) {
    let error = read(bytes).map(|read| read.image).expect_err(said).to_string();
    assert!(error.contains(said), "{said:?} in {error:?}");
}

type Change = fn(&mut Vec<Entry>);

fn entry<'a>(entries: &'a mut [Entry], name: &str) -> &'a mut Entry {
    entries
        .iter_mut()
        .find(|entry| entry.name.ends_with(name))
        .unwrap()
}

fn edit(entry: &mut Entry, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&entry.bytes).unwrap();
    change(&mut value);
    entry.bytes = value.to_string().into_bytes();
}

#[test]
fn a_docker_archive_is_refused_at_whatever_place_it_is_wrong() {
    let cases: &[(&str, Change)] = &[
        ("neither manifest.json nor index.json", |all| {
            all.retain(|entry| entry.name != "manifest.json");
        }),
        ("manifest.json: cannot be read", |all| {
            entry(all, "manifest.json").bytes.truncate(20);
        }),
        ("manifest.json: cannot be read", |all| {
            entry(all, "manifest.json").bytes = b"[".repeat(100_000);
        }),
        ("manifest.json: is larger than 4 MiB", |all| {
            entry(all, "manifest.json").bytes = vec![b' '; (4 << 20) + 1];
        }),
        ("names no image", |all| entry(all, "manifest.json").bytes = b"[]".to_vec()),
        ("is not in the archive", |all| {
            all.retain(|entry| entry.name != "1/layer.tar");
        }),
        ("is not in the archive", |all| {
            all.retain(|entry| entry.name == "manifest.json" || entry.name.ends_with("layer.tar"));
        }),
        ("its name says otherwise", |all| {
            let config = all.iter_mut().find(|entry| entry.name.len() == 69).unwrap();
            config.bytes[3] ^= 1;
        }),
        ("the layer's SHA-256 is", |all| entry(all, "0/layer.tar").bytes[700] ^= 1),
        ("the layer's SHA-256 is", |all| {
            let mut other = entry(all, "1/layer.tar").bytes.clone();
            std::mem::swap(&mut entry(all, "0/layer.tar").bytes, &mut other);
            entry(all, "1/layer.tar").bytes = other;
        }),
        ("zstd is not supported", |all| {
            entry(all, "0/layer.tar").bytes = b"\x28\xb5\x2f\xfd rest".to_vec();
        }),
        ("1/layer.tar: is cut short", |all| {
            let layer = entry(all, "1/layer.tar");
            layer.bytes = gzip(&layer.bytes);
            layer.bytes.truncate(1000);
        }),
        ("leads out of the archive", |all| all.push(Entry::file("../outside", b"x"))),
        ("leads out of the archive", |all| all.push(Entry::file("a/../../outside", b"x"))),
        ("leads out of the archive", |all| all.push(Entry::file("/etc/passwd", b"x"))),
        ("leads out of the archive", |all| {
            all.push(Entry::special("../x/", EntryType::Directory, ""));
        }),
        ("leads out of the archive", |all| {
            all.push(Entry::special("a", EntryType::Symlink, "../etc/passwd"));
        }),
        ("leads out of the archive", |all| {
            all.push(Entry::special("a", EntryType::Symlink, "/etc/passwd"));
        }),
        ("leads out of the archive", |all| {
            all.push(Entry::special("a", EntryType::Link, "../etc/passwd"));
        }),
        ("is a link in a circle", |all| {
            let layer = entry(all, "0/layer.tar");
            *layer = Entry::special("0/layer.tar", EntryType::Symlink, "layer.tar");
        }),
        ("is not in the archive", |all| {
            let layer = entry(all, "0/layer.tar");
            *layer = Entry::special("0/layer.tar", EntryType::Symlink, "gone");
        }),
        ("is in the archive twice", |all| {
            let again = entry(all, "manifest.json").clone();
            all.push(again);
        }),
        ("is in the archive twice", |all| {
            all.push(Entry::file("./0//layer.tar", b"other"));
        }),
        ("neither file, folder nor link", |all| {
            all.push(Entry::special("pipe", EntryType::Fifo, ""));
        }),
        ("neither file, folder nor link", |all| {
            all.push(Entry::special("device", EntryType::Char, ""));
        }),
        ("leads out of the archive", |all| {
            edit(entry(all, "manifest.json"), |all| all[0]["Config"] = "../config".into());
        }),
        ("leads out of the archive", |all| {
            edit(entry(all, "manifest.json"), |all| all[0]["Layers"][0] = "/etc/passwd".into());
        }),
    ];
    for (said, change) in cases {
        let mut entries = image().docker_entries();
        change(&mut entries);
        refused(&tar(&entries), said);
    }
}

#[test]
fn a_configuration_has_to_name_exactly_the_layers() {
    type Edit = fn(&mut Value);
    let cases: &[(&str, Edit)] = &[
        ("names 1 layers, and there are 2", |config| {
            config["rootfs"]["diff_ids"].as_array_mut().unwrap().pop();
        }),
        ("names 3 layers, and there are 2", |config| {
            let ids = config["rootfs"]["diff_ids"].as_array_mut().unwrap();
            ids.push(ids[0].clone());
        }),
        ("64 lower-case hexadecimal digits", |config| {
            config["rootfs"]["diff_ids"][0] = "sha256:0123".into();
        }),
        ("the digest sha512:00 is not supported", |config| {
            config["rootfs"]["diff_ids"][0] = "sha512:00".into();
        }),
        ("rootfs.type", |config| config["rootfs"]["type"] = "base".into()),
        ("missing field `rootfs`", |config| {
            config.as_object_mut().unwrap().remove("rootfs");
        }),
    ];
    for (said, edit) in cases {
        let mut image = image();
        let mut config = serde_json::from_slice(&image.config).unwrap();
        edit(&mut config);
        image.config = config.to_string().into_bytes();
        refused(&image.docker_archive(), said);
        refused(&tar(&image.oci_entries(true)), said);
    }
}

#[test]
fn an_oci_layout_is_refused_at_whatever_place_it_is_wrong() {
    let cases: &[(&str, Change)] = &[
        ("oci-layout: is not in the", |all| {
            all.retain(|entry| entry.name != "oci-layout");
        }),
        ("version 2.0.0 is not supported", |all| {
            entry(all, "oci-layout").bytes = br#"{"imageLayoutVersion":"2.0.0"}"#.to_vec();
        }),
        ("names no image", |all| {
            edit(entry(all, "index.json"), |index| {
                index["manifests"].as_array_mut().unwrap().clear();
            });
        }),
        ("its descriptor says", |all| {
            edit(entry(all, "index.json"), |index| {
                index["manifests"][0]["size"] = 5.into();
            });
        }),
        ("64 lower-case hexadecimal digits", |all| {
            edit(entry(all, "index.json"), |index| {
                index["manifests"][0]["digest"] = "sha256:../../etc/passwd".into();
            });
        }),
        ("is not in the", |all| {
            edit(entry(all, "index.json"), |index| {
                index["manifests"][0]["digest"] = format!("sha256:{}", sha256(b"gone")).into();
            });
        }),
        ("the media type text/html is not supported", |all| {
            edit(entry(all, "index.json"), |index| {
                index["manifests"][0]["mediaType"] = "text/html".into();
            });
        }),
        // The first blob is a layer, then come the other, the configuration and the manifest.
        ("its SHA-256 is", |all| all[1].bytes[20] ^= 1),
        ("its SHA-256 is", |all| all[3].bytes[2] ^= 1),
        ("its SHA-256 is", |all| all[4].bytes[2] ^= 1),
        ("is not in the", |all| {
            all.remove(2);
        }),
    ];
    for (said, change) in cases {
        let mut entries = image().oci_entries(true);
        change(&mut entries);
        refused(&tar(&entries), said);
        let folder = tempfile::tempdir().unwrap();
        unpack(&entries, folder.path());
        let error = oci::read(folder.path()).map(|read| read.image).expect_err(said);
        assert!(error.to_string().contains(said), "{said:?} in {error}");
    }
}

#[test]
fn a_layer_of_an_oci_image_has_to_be_packed_as_its_descriptor_says() {
    let image = image();
    let (mut plain, gzipped) = (image.oci_entries(false), image.oci_entries(true));
    let manifest = String::from_utf8(gzipped[4].bytes.clone()).unwrap();
    for (from, said) in [
        ("tar+gzip", "zstd is not supported"),
        ("v1.tar+gzip", "is not supported"),
    ] {
        let to = if from == "tar+gzip" { "tar+zstd" } else { "v1.squash" };
        let mut entries = gzipped.clone();
        let text = manifest.replace(from, to);
        let name = format!("blobs/sha256/{}", sha256(text.as_bytes()));
        entries[4] = Entry::file(&name, text.as_bytes());
        edit(entry(&mut entries, "index.json"), |index| {
            index["manifests"][0]["digest"] = format!("sha256:{}", sha256(text.as_bytes())).into();
            index["manifests"][0]["size"] = text.len().into();
        });
        refused(&tar(&entries), said);
    }
    // Called gzip, but plain.
    let text = String::from_utf8(plain[4].bytes.clone()).unwrap().replace("v1.tar\"", "v1.tar+gzip\"");
    let name = format!("blobs/sha256/{}", sha256(text.as_bytes()));
    plain[4] = Entry::file(&name, text.as_bytes());
    edit(entry(&mut plain, "index.json"), |index| {
        index["manifests"][0]["digest"] = format!("sha256:{}", sha256(text.as_bytes())).into();
        index["manifests"][0]["size"] = text.len().into();
    });
    refused(&tar(&plain), "is damaged");
}

#[test]
fn an_archive_that_is_two_images_at_once_is_refused() {
    let other = Image::of("auth-service", b"other", b"other");
    let entries = [image().docker_entries(), other.oci_entries(true)].concat();
    refused(&tar(&entries), "names another image than index.json");
}

#[test]
fn files_that_are_no_archives_are_refused() {
    refused(b"", "is no image");
    refused(b"hello", "is damaged");
    refused(&[b'x'; 600], "is damaged");
    refused(b"\x1f\x8b", "cut short");
    refused(b"\x28\xb5\x2f\xfd and more", "zstd is not supported");
    refused(&tar(&[]), "is no image");
}

#[test]
fn an_archive_that_was_cut_off_anywhere_is_never_an_image() {
    let whole = gzip(&image().docker_archive());
    for end in [0, 1, 9, 10, 11, 600, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        assert!(read(&whole[..end]).is_err(), "{end} of {} bytes", whole.len());
    }
    let plain = image().docker_archive();
    // What is cut off after the last entry are zeros.
    for end in (0..plain.len() - 1024).step_by(997) {
        assert!(read(&plain[..end]).is_err(), "{end} of {} bytes", plain.len());
    }
}

#[test]
fn a_small_file_that_unpacks_to_gigabytes_is_stopped_early() {
    let zeros = vec![0; 8 << 20];
    let folder = tempfile::tempdir().unwrap();
    let limit = 4 << 20;
    let bomb = [Entry::file("manifest.json", b"[]"), Entry::file("bomb", &zeros)];
    let mut packed = image().docker_entries();
    entry(&mut packed, "0/layer.tar").bytes = gzip(&zeros);
    for (name, bytes) in [
        ("outer", gzip(&tar(&bomb))),
        ("inner", tar(&packed)),
        ("plain", tar(&bomb)),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = oci::read_within(&path, limit).expect_err(name);
        assert!(matches!(error, OciError::TooLarge { .. }), "{name}: {error}");
    }
    // A size that only the header claims.
    let mut lying = tar(&[Entry::file("manifest.json", b"[]")]);
    lying[124..135].copy_from_slice(b"77777777777");
    let sum: u32 = lying[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte }))
        .sum();
    lying[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert!(read(&lying).is_err());
}

#[test]
fn an_archive_of_countless_entries_is_stopped() {
    let entries: Vec<Entry> = (0..20_001).map(|n| Entry::file(&n.to_string(), b"")).collect();
    let error = read(&tar(&entries)).expect_err("too many");
    assert!(matches!(error, OciError::TooLarge { .. }), "{error}");
}

#[test]
fn the_program_says_no_to_damage_and_not_checked_to_what_it_cannot_read() {
    let release = Release::new();
    let path = release.home().join("x.tar");
    let given = path.display().to_string();
    let mut entries = image().docker_entries();
    entry(&mut entries, "0/layer.tar").bytes[700] ^= 1;
    fs::write(&path, tar(&entries)).unwrap();
    let answer = release.verify(&["--oci", &given]);
    assert_eq!(answer.code, 1);
    assert!(answer.stdout.contains("0/layer.tar: the layer's SHA-256 is"));
    fs::write(&path, b"\x28\xb5\x2f\xfd and more").unwrap();
    let answer = release.verify(&["--oci", &given]);
    assert_eq!(answer.code, 5);
    assert!(answer.stdout.contains("zstd is not supported"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(96), ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_never_gives_another_image_with_the_same_hashes(
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
        oci in any::<bool>(),
        packed in any::<bool>(),
    ) {
        let image = image();
        let entries = if oci { image.oci_entries(packed) } else { image.docker_entries() };
        let mut bytes = tar(&entries);
        if packed && !oci {
            bytes = gzip(&bytes);
        }
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << bit;
        // Padding, tags and the like are no part of the image.
        if let Ok(read) = read(&bytes) {
            prop_assert_eq!(read.config, image.config);
            prop_assert_eq!(read.layers, image.layers);
        }
    }

    #[test]
    fn no_bytes_make_it_fall_over(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read(&bytes).is_err());
        prop_assert!(read(&gzip(&bytes)).is_err());
        prop_assert!(read(&tar(&[Entry::file("manifest.json", &bytes)])).is_err());
        prop_assert!(read(&tar(&[Entry::file("index.json", &bytes)])).is_err());
    }
}
