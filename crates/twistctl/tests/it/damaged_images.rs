//! Archives that are damaged or contradict themselves, at each place where they can.

use crate::kit::image::{Entry, gzip, sha256, tar, unpack};
use crate::kit::release::image;
use serde_json::Value;
use std::fs;
use tar::EntryType;
use twistctl::artifact::oci::{self, OciError};

pub(crate) fn read(bytes: &[u8]) -> Result<oci::ReadImage, OciError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    fs::write(&path, bytes).unwrap();
    oci::read(&path)
}

pub(crate) fn refused(bytes: &[u8], said: &str) {
    let error = read(bytes)
        .map(|read| read.image)
        .expect_err(said)
        .to_string();
    assert!(error.contains(said), "{said:?} in {error:?}");
}

type Change = fn(&mut Vec<Entry>);

pub(crate) fn entry<'a>(entries: &'a mut [Entry], name: &str) -> &'a mut Entry {
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

fn all_refused(cases: &[(&str, Change)]) {
    for (said, change) in cases {
        let mut entries = image().docker_entries();
        change(&mut entries);
        refused(&tar(&entries), said);
    }
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
        ("names no image", |all| {
            entry(all, "manifest.json").bytes = b"[]".to_vec();
        }),
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
        ("the layer's SHA-256 is", |all| {
            entry(all, "0/layer.tar").bytes[700] ^= 1;
        }),
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
    ];
    all_refused(cases);
}

#[test]
fn names_in_an_archive_cannot_lead_out_of_it_or_mean_two_things() {
    let cases: &[(&str, Change)] = &[
        ("leads out of the archive", |all| {
            all.push(Entry::file("../outside", b"x"));
        }),
        ("leads out of the archive", |all| {
            all.push(Entry::file("a/../../outside", b"x"));
        }),
        ("leads out of the archive", |all| {
            all.push(Entry::file("/etc/passwd", b"x"));
        }),
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
        ("twice for readers that ignore case", |all| {
            edit(entry(all, "manifest.json"), |all| {
                all[0]["CONFIG"] = "other.json".into();
            });
        }),
        ("twice for readers that ignore case", |all| {
            edit(entry(all, "manifest.json"), |all| {
                all[0]["layer\u{17f}"] = serde_json::json!([]);
            });
        }),
        ("duplicate field `Layers`", |all| {
            let manifest = entry(all, "manifest.json");
            let text = String::from_utf8(manifest.bytes.clone()).unwrap();
            manifest.bytes = text
                .replace("\"Layers\":", "\"Layers\":[],\"Layers\":")
                .into();
        }),
        ("leads out of the archive", |all| {
            edit(entry(all, "manifest.json"), |all| {
                all[0]["Config"] = "../config".into();
            });
        }),
        ("leads out of the archive", |all| {
            edit(entry(all, "manifest.json"), |all| {
                all[0]["Layers"][0] = "/etc/passwd".into();
            });
        }),
    ];
    all_refused(cases);
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
        ("rootfs.type", |config| {
            config["rootfs"]["type"] = "base".into();
        }),
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
        ("is an index and an image at once", |all| {
            edit(entry(all, "index.json"), |index| {
                index["layers"] = serde_json::json!([]);
            });
        }),
        ("twice for readers that ignore case", |all| {
            edit(entry(all, "index.json"), |index| {
                index["Manifests"] = serde_json::json!([]);
            });
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
        let error = oci::read(folder.path())
            .map(|read| read.image)
            .expect_err(said);
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
        let to = if from == "tar+gzip" {
            "tar+zstd"
        } else {
            "v1.squash"
        };
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
    let text = String::from_utf8(plain[4].bytes.clone())
        .unwrap()
        .replace("v1.tar\"", "v1.tar+gzip\"");
    let name = format!("blobs/sha256/{}", sha256(text.as_bytes()));
    plain[4] = Entry::file(&name, text.as_bytes());
    edit(entry(&mut plain, "index.json"), |index| {
        index["manifests"][0]["digest"] = format!("sha256:{}", sha256(text.as_bytes())).into();
        index["manifests"][0]["size"] = text.len().into();
    });
    refused(&tar(&plain), "is damaged");
}
