//! A tar file from strangers, plain or gzip, into memory. Nothing is ever unpacked.

use super::OciError;
use super::budget::{Budget, broken};
use flate2::read::MultiGzDecoder;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::Path;
use tar::{Archive, EntryType};

pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];
pub(super) const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// An entry; folders are left out.
pub(super) enum Item {
    File(Vec<u8>),
    /// The name of the entry that is meant.
    Link(String),
}

/// Every entry of the archive by its normal name.
pub(super) fn read(
    path: &Path,
    file: impl Read,
    budget: &mut Budget,
) -> Result<BTreeMap<String, Item>, OciError> {
    let name = path.display().to_string();
    let mut file = BufReader::new(file);
    let mut start = Vec::new();
    file.by_ref()
        .take(4)
        .read_to_end(&mut start)
        .map_err(super::source::io(path))?;
    let whole = io::Cursor::new(start.clone()).chain(file);
    if start.starts_with(&ZSTD) {
        return Err(OciError::unsupported(&name, "zstd"));
    }
    // Headers count as well: nothing may be read without end.
    let most = budget.limit();
    if start.starts_with(&GZIP) {
        entries(
            &name,
            Bounded::new(MultiGzDecoder::new(whole), most),
            budget,
        )
    } else {
        entries(&name, Bounded::new(whole, most), budget)
    }
}

fn entries(
    archive_name: &str,
    mut from: Bounded<impl Read>,
    budget: &mut Budget,
) -> Result<BTreeMap<String, Item>, OciError> {
    let mut items = BTreeMap::new();
    let mut archive = Archive::new(&mut from);
    let in_archive = |error: io::Error| broken(archive_name, &error);
    for entry in archive.entries().map_err(in_archive)? {
        let mut entry = entry.map_err(in_archive)?;
        plain_size(archive_name, &mut entry)?;
        let raw = text(archive_name, &entry.path_bytes())?;
        budget.entry(&raw)?;
        let item = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let size = entry.size();
                let bytes = budget.read_all(&raw, entry)?;
                if bytes.len() as u64 != size {
                    return Err(OciError::damaged(&raw, "is cut short"));
                }
                Item::File(bytes)
            }
            EntryType::Symlink => Item::Link(beside(&raw, &target(&raw, &entry)?)?),
            EntryType::Link => Item::Link(normal(&raw, &target(&raw, &entry)?)?),
            EntryType::Directory => {
                if !raw.trim_end_matches('/').is_empty() && raw.trim_end_matches('/') != "." {
                    normal(&raw, raw.trim_end_matches('/'))?;
                }
                continue;
            }
            EntryType::XGlobalHeader => continue,
            _ => {
                return Err(OciError::damaged(
                    &raw,
                    "is neither file, folder nor link, which no image archive has",
                ));
            }
        };
        let name = normal(&raw, &raw)?;
        if items.insert(name, item).is_some() {
            return Err(OciError::damaged(
                &raw,
                "is in the archive twice, so that it is not clear which one counts",
            ));
        }
    }
    // To the end, for the checksum of gzip, which comes last.
    io::copy(&mut from, &mut io::sink()).map_err(in_archive)?;
    Ok(items)
}

/// Readers disagree on a size that is stated twice, and with it on where the next entry begins. Nothing that
/// fits the limit needs one.
fn plain_size(archive_name: &str, entry: &mut tar::Entry<'_, impl Read>) -> Result<(), OciError> {
    let Some(extensions) = entry
        .pax_extensions()
        .map_err(|error| broken(archive_name, &error))?
    else {
        return Ok(());
    };
    for extension in extensions {
        let extension = extension.map_err(|error| broken(archive_name, &error))?;
        let key = extension.key_bytes();
        if key == b"size" || key.starts_with(b"GNU.sparse") {
            return Err(OciError::damaged(
                archive_name,
                format!(
                    "an entry has the extension {:?}, which no image needs",
                    String::from_utf8_lossy(key)
                ),
            ));
        }
    }
    Ok(())
}

fn target(raw: &str, entry: &tar::Entry<'_, impl Read>) -> Result<String, OciError> {
    let target = entry
        .link_name_bytes()
        .ok_or_else(|| OciError::damaged(raw, "is a link to nowhere"))?;
    text(raw, &target)
}

fn text(entry: &str, bytes: &[u8]) -> Result<String, OciError> {
    String::from_utf8(bytes.to_vec())
        .map_err(|_| OciError::damaged(entry, "has a name that is not UTF-8"))
}

/// The one spelling of a name in the archive: no leading `./`, no `..`, not absolute.
pub(super) fn normal(entry: &str, name: &str) -> Result<String, OciError> {
    let leaves = || OciError::damaged(entry, format!("{name:?} leads out of the archive"));
    if name.starts_with('/') {
        return Err(leaves());
    }
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err(leaves());
    }
    if parts.is_empty() || name.ends_with('/') || name.contains('\0') {
        return Err(OciError::damaged(entry, format!("{name:?} names no file")));
    }
    Ok(parts.join("/"))
}

/// What a link in the archive means; it may go up, but not out.
fn beside(entry: &str, target: &str) -> Result<String, OciError> {
    let leaves = || {
        OciError::damaged(
            entry,
            format!("its link {target:?} leads out of the archive"),
        )
    };
    if target.starts_with('/') {
        return Err(leaves());
    }
    let own = normal(entry, entry)?;
    let mut parts: Vec<&str> = own.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(leaves)?;
            }
            part => parts.push(part),
        }
    }
    normal(entry, &parts.join("/"))
}

/// Fails, rather than ends, when there is more than allowed.
struct Bounded<R> {
    from: R,
    left: u64,
}

impl<R: Read> Bounded<R> {
    /// A little more than the limit, for headers and padding.
    const fn new(from: R, most: u64) -> Self {
        Self {
            from,
            left: most.saturating_add(64 << 20),
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other("it unpacks to more than is allowed"))?;
        Ok(count)
    }
}
