//! One header of a tar file, read so that no other reader can understand it differently.
//!
//! Readers agree on what a good header says. On an odd one they do not: which of two names counts, how long the
//! entry is, and with it where the next one begins. An archive could then be one image here and another in a
//! container runtime, so whatever is odd is refused; no tool that writes images writes it.

pub(super) const BLOCK: usize = 512;
pub(super) type Block = [u8; BLOCK];

/// What follows the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Symlink,
    HardLink,
    Folder,
    /// Extended records about the next entry.
    Extended,
    /// Extended records about all of them.
    Global,
    /// The name of the next entry, as GNU tar writes a long one.
    LongName,
    /// The target of the next entry, likewise.
    LongTarget,
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) name: Vec<u8>,
    pub(super) target: Vec<u8>,
    /// Bytes after it.
    pub(super) size: u64,
}

/// None is the end of the archive. The error is what is wrong with it.
pub(super) fn parse(block: &Block) -> Result<Option<Header>, String> {
    if is_zero(block) {
        return Ok(None);
    }
    checksum(block)?;
    let (name, target) = (
        field(block, 0, 100, "name")?,
        field(block, 157, 100, "link target")?,
    );
    let mut header = Header {
        kind: kind(at(block, 156))?,
        name,
        target,
        size: number(part(block, 124, 12)).ok_or("its size is no plain number")?,
    };
    let is_ustar = part(block, 257, 8) == b"ustar\x0000";
    let rest = if is_ustar {
        let prefix = field(block, 345, 155, "prefix")?;
        if !prefix.is_empty() {
            header.name = [&prefix, b"/".as_slice(), &header.name].concat();
        }
        part(block, 500, 12)
    } else if part(block, 257, 8) == b"ustar  \0" {
        part(block, 345, 167)
    } else {
        part(block, 257, 255)
    };
    if !is_zero(rest) {
        return Err("its header has more in it than its format knows".into());
    }
    // Some readers skip these bytes, others do not.
    let is_empty = matches!(header.kind, Kind::Symlink | Kind::HardLink | Kind::Folder);
    if is_empty && header.size != 0 {
        return Err("is a link or folder with contents".into());
    }
    Ok(Some(header))
}

fn kind(flag: u8) -> Result<Kind, String> {
    Ok(match flag {
        b'0' | 0 => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'5' => Kind::Folder,
        b'x' => Kind::Extended,
        b'g' => Kind::Global,
        b'L' => Kind::LongName,
        b'K' => Kind::LongTarget,
        _ => return Err("is neither file, folder nor link, which no image archive has".into()),
    })
}

/// A text that ends at the first zero. What comes after it must be zeros too.
fn field(block: &Block, from: usize, length: usize, what: &str) -> Result<Vec<u8>, String> {
    text(part(block, from, length)).ok_or_else(|| format!("its {what} goes on after its end"))
}

/// The bytes before the zeros at the end, if there is no other zero.
pub(super) fn text(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    is_zero(rest).then(|| text.to_vec())
}

fn checksum(block: &Block) -> Result<(), String> {
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                b' '
            } else {
                *byte
            }
        })
        .map(u64::from)
        .sum();
    match number(part(block, 148, 8)) {
        Some(stated) if stated == sum => Ok(()),
        _ => Err("is damaged (the checksum of a header is wrong)".into()),
    }
}

/// Octal digits, with spaces before and zeros or spaces after them.
fn number(field: &[u8]) -> Option<u64> {
    let start = field.iter().position(|byte| *byte != b' ')?;
    let field = field.get(start..)?;
    let end = field
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(field.len());
    let (digits, rest) = field.split_at(end);
    if !rest.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

fn part(block: &Block, from: usize, length: usize) -> &[u8] {
    block.get(from..from + length).unwrap_or_default()
}

fn at(block: &Block, place: usize) -> u8 {
    block.get(place).copied().unwrap_or_default()
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_meaning() {
        for (field, value) in [
            (&b"00000001750\0"[..], 1000),
            (b"0001750 \0\0\0\0", 1000),
            (b"      1750 \0", 1000),
            (b"777777777777", (1 << 36) - 1),
        ] {
            assert_eq!(number(field), Some(value), "{field:?}");
        }
        for bad in [
            &b"\0\0\0\0\0\0\0\0"[..],
            b"\x80\0\0\0\0\0\0\0\0\0\x01\0",
            b"0000000175\08",
            b"0001_750\0",
            b"+0001750\0",
            b"\x000001750\0",
            b"00000000008\0",
            b"        ",
        ] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }
}
