//! A tar file from strangers, plain or gzip, into memory. Nothing is ever unpacked.

use super::budget::{Budget, broken};
use super::header::{self, BLOCK, Block, Kind};
use super::{OciError, pax, shown};
use flate2::read::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::path::Path;

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
    let whole = BufReader::new(io::Cursor::new(start.clone()).chain(file));
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

/// The next bytes of the archive.
struct Reader<R> {
    from: Bounded<R>,
    name: String,
}

impl<R: Read> Reader<R> {
    /// None at the end of the file.
    fn block(&mut self) -> Result<Option<Block>, OciError> {
        let mut bytes = Vec::with_capacity(BLOCK);
        self.from
            .by_ref()
            .take(BLOCK as u64)
            .read_to_end(&mut bytes)
            .map_err(|error| broken(&self.name, &error))?;
        match Block::try_from(bytes) {
            Ok(block) => Ok(Some(block)),
            Err(bytes) if bytes.is_empty() => Ok(None),
            Err(_) => Err(OciError::damaged(
                &self.name,
                "is damaged (it is cut short)",
            )),
        }
    }

    /// What follows a header, and the padding after it.
    fn contents(
        &mut self,
        entry: &str,
        size: u64,
        budget: &mut Budget,
    ) -> Result<Vec<u8>, OciError> {
        let bytes = budget.read_all(entry, self.from.by_ref().take(size))?;
        if bytes.len() as u64 != size {
            return Err(OciError::damaged(entry, "is cut short"));
        }
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        let skipped = io::copy(&mut self.from.by_ref().take(padding), &mut io::sink())
            .map_err(|error| broken(entry, &error))?;
        if skipped == padding {
            Ok(bytes)
        } else {
            Err(OciError::damaged(entry, "is cut short"))
        }
    }

    /// After the first block of zeros there may be more of them. Some readers would find entries behind it, others
    /// not. To the end also for the checksum of gzip, which comes last.
    fn end(&mut self) -> Result<(), OciError> {
        let mut buffer = [0; 16 * BLOCK];
        loop {
            let count = self
                .from
                .read(&mut buffer)
                .map_err(|error| broken(&self.name, &error))?;
            if count == 0 {
                return Ok(());
            }
            if !header::is_zero(buffer.get(..count).unwrap_or_default()) {
                return Err(OciError::damaged(&self.name, "has something after its end"));
            }
        }
    }
}

/// What was said of the next entry before its header.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    is_extended: bool,
}

impl Ahead {
    const fn is_empty(&self) -> bool {
        self.name.is_none() && self.target.is_none() && !self.is_extended
    }

    /// Takes in a header that is about the next one. Two kinds of them, or the same one twice, would have to be
    /// weighed against each other.
    fn add(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), String> {
        let twice = || Err("it is named in more than one way".to_owned());
        match kind {
            Kind::Extended if self.is_empty() => {
                let records = pax::parse(bytes, false)?;
                (self.name, self.target) = (records.path, records.linkpath);
                self.is_extended = true;
            }
            Kind::Global if self.is_empty() => {
                pax::parse(bytes, true)?;
            }
            Kind::LongName if !self.is_extended && self.name.is_none() => {
                self.name = Some(pax::long_name(bytes)?);
            }
            Kind::LongTarget if !self.is_extended && self.target.is_none() => {
                self.target = Some(pax::long_name(bytes)?);
            }
            _ => return twice(),
        }
        Ok(())
    }
}

/// Names and extended records; a name has a few hundred bytes.
const MOST_AHEAD: u64 = 64 << 10;

fn entries(
    archive_name: &str,
    from: Bounded<impl Read>,
    budget: &mut Budget,
) -> Result<BTreeMap<String, Item>, OciError> {
    let mut reader = Reader {
        from,
        name: archive_name.to_owned(),
    };
    let mut found = Found::default();
    let mut ahead = Ahead::default();
    while let Some(block) = reader.block()? {
        let shown = String::from_utf8_lossy(block.split(|byte| *byte == 0).next().unwrap_or(&[]));
        let wrong = |why: String| OciError::damaged(&shown, why);
        let Some(header) = header::parse(&block).map_err(wrong)? else {
            break;
        };
        budget.entry(&shown)?;
        let about_the_next = matches!(
            header.kind,
            Kind::Extended | Kind::Global | Kind::LongName | Kind::LongTarget
        );
        if about_the_next {
            if header.size > MOST_AHEAD {
                return Err(wrong("has records of more than 64 KiB".into()));
            }
            let bytes = reader.contents(&shown, header.size, budget)?;
            ahead.add(header.kind, &bytes).map_err(wrong)?;
            continue;
        }
        let said = std::mem::take(&mut ahead);
        let raw = text(archive_name, &said.name.unwrap_or(header.name))?;
        let target = text(&raw, &said.target.unwrap_or(header.target))?;
        match header.kind {
            Kind::Symlink => found.add(&raw, Item::Link(beside(&raw, &target)?))?,
            Kind::HardLink => {
                let target = normal(&raw, &target)?;
                found.hard_links.push((raw.clone(), target.clone()));
                found.add(&raw, Item::Link(target))?;
            }
            Kind::Folder => found.folder(&raw)?,
            _ => {
                let bytes = reader.contents(&raw, header.size, budget)?;
                found.add(&raw, Item::File(bytes))?;
            }
        }
    }
    if !ahead.is_empty() {
        return Err(OciError::damaged(
            archive_name,
            "is damaged (it is cut short)",
        ));
    }
    reader.end()?;
    found.finish()
}

/// What is in the archive so far.
#[derive(Default)]
struct Found {
    items: BTreeMap<String, Item>,
    folders: BTreeSet<String>,
    hard_links: Vec<(String, String)>,
}

impl Found {
    fn add(&mut self, raw: &str, item: Item) -> Result<(), OciError> {
        if self.items.insert(normal(raw, raw)?, item).is_some() {
            return Err(OciError::damaged(
                raw,
                "is in the archive twice, so that it is not clear which one counts",
            ));
        }
        Ok(())
    }

    fn folder(&mut self, raw: &str) -> Result<(), OciError> {
        let name = raw.trim_end_matches('/');
        if !name.is_empty() && name != "." {
            self.folders.insert(normal(raw, name)?);
        }
        Ok(())
    }

    /// Whoever unpacks the archive first, as container runtimes do, must find the same in it: nothing may lie
    /// behind a link or a file, and nothing may be two things at once.
    fn finish(self) -> Result<BTreeMap<String, Item>, OciError> {
        for name in self.items.keys().chain(&self.folders) {
            let mut above = name.as_str();
            while let Some((folder, _)) = above.rsplit_once('/') {
                if self.items.contains_key(folder) {
                    let why = format!("lies in {}, which is no folder", shown(folder));
                    return Err(OciError::damaged(name, why));
                }
                above = folder;
            }
        }
        if let Some(name) = self
            .folders
            .iter()
            .find(|name| self.items.contains_key(*name))
        {
            let why = "is in the archive twice, as a folder and as something else";
            return Err(OciError::damaged(name, why));
        }
        let to_link = |target: &String| matches!(self.items.get(target), Some(Item::Link(_)));
        if let Some((raw, _)) = self.hard_links.iter().find(|(_, target)| to_link(target)) {
            let why = "is a link to a link, which means another file in each place";
            return Err(OciError::damaged(raw, why));
        }
        Ok(self.items)
    }
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
    let mut below = false;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            // Behind a name that may itself be a link it would lead elsewhere.
            ".." if below => return Err(leaves()),
            ".." => {
                parts.pop().ok_or_else(leaves)?;
            }
            part => {
                below = true;
                parts.push(part);
            }
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
