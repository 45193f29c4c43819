//! As much CBOR as authenticators use, read strictly: definite lengths, integers of 64 bits, bounded depth, and nothing
//! left over that was not asked for.

use super::Reason;

/// Containers inside containers.
const MAX_DEPTH: u8 = 8;
/// Entries of one container.
const MAX_ENTRIES: u64 = 64;

/// A position in bytes that are read item by item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

/// The head of an item: its kind and the number that comes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    Unsigned(u64),
    Negative(u64),
    Bytes(u64),
    Text(u64),
    Array(u64),
    Map(u64),
    /// `false`, `true`, `null`, numbers with a point: never needed, only passed over.
    Other,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What has not been read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Nothing may be left.
    pub(super) const fn end(self) -> Result<(), Reason> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Reason::Malformed)
        }
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Reason> {
        let count = usize::try_from(count).map_err(|_| Reason::Malformed)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Reason::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: u64) -> Result<u64, Reason> {
        let bytes = self.take(bytes)?;
        Ok(bytes.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte)))
    }

    /// The next item's head. Lengths and numbers have to be written as short as they can be.
    pub(super) fn head(&mut self) -> Result<Head, Reason> {
        let first = self.number(1)?;
        let (kind, short) = (first >> 5, first & 0x1f);
        if kind == 7 {
            match short {
                20..=23 => {}
                25..=27 => drop(self.take(1 << (short - 24))?),
                _ => return Err(Reason::Malformed),
            }
            return Ok(Head::Other);
        }
        let (number, least) = match short {
            0..=23 => (short, 0),
            24 => (self.number(1)?, 24),
            25 => (self.number(2)?, 1 << 8),
            26 => (self.number(4)?, 1 << 16),
            27 => (self.number(8)?, 1 << 32),
            _ => return Err(Reason::Malformed),
        };
        if number < least {
            return Err(Reason::Malformed);
        }
        Ok(match kind {
            0 => Head::Unsigned(number),
            1 => Head::Negative(number),
            2 => Head::Bytes(number),
            3 => Head::Text(number),
            4 => Head::Array(number),
            5 => Head::Map(number),
            // Tags have no place in what authenticators send.
            _ => return Err(Reason::Malformed),
        })
    }

    /// The number of entries of a map.
    pub(super) fn map(&mut self) -> Result<u64, Reason> {
        match self.head()? {
            Head::Map(entries) if entries <= MAX_ENTRIES => Ok(entries),
            _ => Err(Reason::Malformed),
        }
    }

    /// An integer that fits.
    pub(super) fn integer(&mut self) -> Result<i64, Reason> {
        let number = |n: u64| i64::try_from(n).map_err(|_| Reason::Malformed);
        match self.head()? {
            Head::Unsigned(n) => number(n),
            Head::Negative(n) => Ok(-1 - number(n)?),
            _ => Err(Reason::Malformed),
        }
    }

    /// A byte string.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Reason> {
        match self.head()? {
            Head::Bytes(length) => self.take(length),
            _ => Err(Reason::Malformed),
        }
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<&'a str, Reason> {
        match self.head()? {
            Head::Text(length) => str::from_utf8(self.take(length)?).map_err(|_| Reason::Malformed),
            _ => Err(Reason::Malformed),
        }
    }

    /// Passes over one item with everything in it.
    pub(super) fn skip(&mut self) -> Result<(), Reason> {
        self.skip_below(MAX_DEPTH)
    }

    fn skip_below(&mut self, depth: u8) -> Result<(), Reason> {
        let items = match self.head()? {
            Head::Unsigned(_) | Head::Negative(_) | Head::Other => 0,
            Head::Bytes(length) | Head::Text(length) => {
                self.take(length)?;
                0
            }
            Head::Array(items) if items <= MAX_ENTRIES => items,
            Head::Map(entries) if entries <= MAX_ENTRIES => 2 * entries,
            Head::Array(_) | Head::Map(_) => return Err(Reason::Malformed),
        };
        let below = depth.checked_sub(1).ok_or(Reason::Malformed)?;
        for _ in 0..items {
            self.skip_below(below)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn skips(bytes: &[u8]) -> bool {
        let mut reader = Reader::new(bytes);
        reader.skip().is_ok() && reader.end().is_ok()
    }

    #[test]
    fn what_is_no_bounded_item_is_refused() {
        for good in [
            &b"\x00"[..],
            b"\x18\x18",
            b"\x20",
            b"\x41a",
            b"\x61a",
            b"\x82\x01\x02",
            b"\xa1\x01\x80",
            b"\xf5",
            b"\xf9\x00\x00",
        ] {
            assert!(skips(good), "{good:?}");
        }
        let deep = [&[0x81; 9][..], &[0]].concat();
        for bad in [
            &b""[..],
            b"\x18\x17",
            b"\x19\x00\xff",
            b"\x1c",
            b"\x5f\x41a\xff",
            b"\x42a",
            b"\x9f\xff",
            b"\xbf\xff",
            b"\xc0\x00",
            b"\xf8\x20",
            b"\xff",
            b"\x98\x41",
            b"\xb8\x41",
            b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x00\x00",
            &deep,
        ] {
            assert!(!skips(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = skips(&bytes);
        }
    }
}
