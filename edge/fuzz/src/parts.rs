//! Inputs of several parts.

use domain::EpochMs;

/// A moment inside every window that the corpora use.
pub(crate) fn now() -> EpochMs {
    moment(1_767_225_600_000)
}

/// So many milliseconds after the epoch; the epoch when that is no moment.
pub(crate) fn moment(ms: u64) -> EpochMs {
    EpochMs::new(ms).unwrap_or(EpochMs::ZERO)
}

/// The input as text, with a mark for what is not.
pub(crate) fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// The next part: two bytes of length, big-endian, then the part. A length that is too long takes what is left.
pub(crate) fn part<'a>(input: &mut &'a [u8]) -> &'a [u8] {
    let Some((length, rest)) = input.split_first_chunk::<2>() else {
        *input = &[];
        return &[];
    };
    let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (part, rest) = rest.split_at(length);
    *input = rest;
    part
}

/// The text up to a new line, and what follows it.
pub(crate) fn line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}
