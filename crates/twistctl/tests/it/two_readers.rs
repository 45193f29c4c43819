//! Archives that this program and a container runtime could take for different images.

use crate::damaged_images::{entry, read, refused};
use crate::kit::image::{Entry, Image, tar};
use crate::kit::release::image;
use std::fmt::Write as _;
use tar::EntryType;

/// An extended header. The length of each record counts itself: two digits here.
fn pax(kind: EntryType, records: &[&str]) -> Entry {
    let mut text = String::new();
    for record in records {
        writeln!(text, "{} {record}", record.len() + 4).unwrap();
    }
    Entry {
        kind,
        ..Entry::file("pax", text.as_bytes())
    }
}

fn before(ahead: &[Entry], entries: &[Entry]) -> Vec<u8> {
    tar(&[ahead, entries].concat())
}

/// The index of another image, which is called so only for readers that take the last of two names.
#[test]
fn a_name_that_is_stated_twice_is_refused() {
    let mut entries = image().docker_entries();
    let other = Image::of("auth-service", b"other", b"other");
    let mut index = other.docker_entries().pop().unwrap();
    index.name = "x".into();
    entries.push(pax(
        EntryType::XHeader,
        &["path=harmless", "path=manifest.json"],
    ));
    entries.push(index);
    refused(&tar(&entries), "\"path\" twice");
    entries.retain(|entry| entry.kind != EntryType::XHeader);
    let (at, one) = (
        entries.len() - 1,
        pax(EntryType::XHeader, &["path=y1234567"]),
    );
    entries.insert(at, one.clone());
    assert!(read(&tar(&entries)).is_ok(), "one name is clear");
    entries.insert(at, one);
    refused(&tar(&entries), "in more than one way");
    entries[at] = Entry {
        kind: EntryType::GNULongName,
        ..Entry::file("long", b"manifest.json\0")
    };
    refused(&tar(&entries), "in more than one way");
}

#[test]
fn a_single_name_in_an_extended_record_counts() {
    let mut entries = image().docker_entries();
    let at = entries.len() - 1;
    entries[at].name = "x".into();
    let named = ["path=manifest.json", "mtime=12345.678"];
    for ahead in [
        pax(EntryType::XHeader, &named),
        Entry {
            kind: EntryType::GNULongName,
            ..Entry::file("././@LongLink", b"manifest.json\0")
        },
    ] {
        let mut entries = entries.clone();
        entries.insert(at, ahead);
        assert_eq!(read(&tar(&entries)).unwrap().config, image().config);
    }
}

#[test]
fn records_that_mean_something_to_some_readers_only_are_refused() {
    let entries = image().docker_entries();
    for record in [
        "size=1024",
        "GNU.sparse.major=1",
        "SCHILY.xattr.user.a=1",
        "hdrcharset=BINARY",
    ] {
        for kind in [EntryType::XHeader, EntryType::XGlobalHeader] {
            let all = before(&[pax(kind, &[record])], &entries);
            refused(&all, "which no image needs");
        }
    }
    for record in ["path=manifest.json", "linkpath=manifest.json"] {
        let all = before(&[pax(EntryType::XGlobalHeader, &[record])], &entries);
        refused(&all, "which no image needs");
    }
    for kind in [EntryType::XHeader, EntryType::XGlobalHeader] {
        assert!(read(&before(&[pax(kind, &["mtime=1234567.8"])], &entries)).is_ok());
    }
}

/// The good image with this done to the first header.
fn with_header(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = image().docker_archive();
    change(&mut bytes[..512]);
    bytes[148..156].fill(b' ');
    let sum: u32 = bytes[..512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

#[test]
fn a_header_that_readers_understand_differently_is_refused() {
    let more = "more in it than its format knows";
    assert!(read(&with_header(|_| {})).is_ok());
    assert!(
        read(&with_header(
            |all| all[257..265].copy_from_slice(b"ustar  \0")
        ))
        .is_ok()
    );
    assert!(read(&with_header(|all| all[257..265].fill(0))).is_ok());
    for magic in [b"ustar  \0", &[0; 8], b"ustar\0\0\0"] {
        let prefixed = with_header(|all| {
            all[257..265].copy_from_slice(magic);
            all[345] = b'a';
        });
        refused(&prefixed, more);
    }
    refused(
        &with_header(|all| all[508..512].copy_from_slice(b"tar\0")),
        more,
    );
    let prefixed = with_header(|all| all[345] = b'a');
    refused(&prefixed, "0/layer.tar: is not in the archive");
    refused(
        &with_header(|all| all[50] = b'a'),
        "its name goes on after its end",
    );
    refused(
        &with_header(|all| all[400] = b'a'),
        "its prefix goes on after its end",
    );
    refused(&with_header(|all| all[124] = 0x80), "no plain number");
}

#[test]
fn a_link_or_folder_with_contents_is_refused() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Directory] {
        let mut entries = image().docker_entries();
        entries.push(Entry {
            kind,
            target: "0/layer.tar".into(),
            ..Entry::file("link", &[0; 512])
        });
        refused(&tar(&entries), "link or folder with contents");
    }
}

#[test]
fn what_lies_behind_a_link_is_refused() {
    let other = Image::of("auth-service", b"other", b"other");
    let mut index = other.docker_entries().pop().unwrap();
    index.name = "here/manifest.json".into();
    let link = Entry::special("here", EntryType::Symlink, ".");
    // Unpacked, it is written where the link leads.
    let mut entries = image().docker_entries();
    entries.extend([Entry::special("here", EntryType::Symlink, "0"), index]);
    refused(&tar(&entries), "which is no folder");
    let mut entries = image().docker_entries();
    entries.push(link);
    refused(&tar(&entries), "names no file");
    let mut entries = image().docker_entries();
    entries.push(Entry::special("0/layer.tar", EntryType::Directory, ""));
    refused(&tar(&entries), "as a folder and as something else");
    let mut entries = image().docker_entries();
    entries.push(Entry::special("up", EntryType::Symlink, "0/../1/layer.tar"));
    refused(&tar(&entries), "leads out of the archive");
    let mut entries = image().docker_entries();
    entries.push(Entry::special("a/soft", EntryType::Symlink, "layer.tar"));
    entries.push(Entry::special("hard", EntryType::Link, "a/soft"));
    refused(&tar(&entries), "a link to a link");
}

#[test]
fn entries_behind_the_end_are_refused() {
    let other = Image::of("auth-service", b"other", b"other");
    let mut bytes = image().docker_archive();
    let end = bytes.len() - 512;
    bytes.truncate(end);
    assert!(read(&bytes).is_ok(), "one block of zeros ends it");
    bytes.extend(other.docker_archive());
    refused(&bytes, "something after its end");
}

#[test]
fn records_about_an_entry_that_does_not_come_are_refused() {
    let mut entries = image().docker_entries();
    entry(&mut entries, "manifest.json").name = "m".into();
    entries.push(pax(EntryType::XHeader, &["path=manifest.json"]));
    refused(&tar(&entries), "cut short");
}
