//! Archives that were cut off, that were made to do harm, or that are anything at all.

use crate::damaged_images::{entry, read, refused};
use crate::kit::image::{Entry, Image, gzip, tar};
use crate::kit::release::image;
use crate::kit::{Release, cases};
use proptest::prelude::*;
use std::fs;
use twistctl::artifact::oci::{self, OciError};

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
    for end in [
        0,
        1,
        9,
        10,
        11,
        600,
        whole.len() / 2,
        whole.len() - 8,
        whole.len() - 1,
    ] {
        assert!(
            read(&whole[..end]).is_err(),
            "{end} of {} bytes",
            whole.len()
        );
    }
    let plain = image().docker_archive();
    // What is cut off after the last entry are zeros.
    for end in (0..plain.len() - 1024).step_by(997) {
        assert!(
            read(&plain[..end]).is_err(),
            "{end} of {} bytes",
            plain.len()
        );
    }
}

#[test]
fn a_small_file_that_unpacks_to_gigabytes_is_stopped_early() {
    let zeros = vec![0; 8 << 20];
    let folder = tempfile::tempdir().unwrap();
    let limit = 4 << 20;
    let bomb = [
        Entry::file("manifest.json", b"[]"),
        Entry::file("bomb", &zeros),
    ];
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
        assert!(
            matches!(error, OciError::TooLarge { .. }),
            "{name}: {error}"
        );
    }
    // A size that only the header claims.
    let mut lying = tar(&[Entry::file("manifest.json", b"[]")]);
    lying[124..135].copy_from_slice(b"77777777777");
    let sum: u32 = lying[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            u32::from(if (148..156).contains(&at) {
                b' '
            } else {
                *byte
            })
        })
        .sum();
    lying[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert!(read(&lying).is_err());
}

#[test]
fn an_archive_of_countless_entries_is_stopped() {
    let entries: Vec<Entry> = (0..20_001)
        .map(|n| Entry::file(&n.to_string(), b""))
        .collect();
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
    assert!(
        answer
            .stdout
            .contains("0/layer.tar: the layer's SHA-256 is")
    );
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
