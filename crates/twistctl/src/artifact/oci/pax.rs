//! Extended records of a tar file (PAX).

use super::header::text;

/// What they may say of an entry that has a meaning here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) linkpath: Option<Vec<u8>>,
}

/// Those that change neither what an entry is called nor what it has in it.
const HARMLESS: [&[u8]; 8] = [
    b"mtime", b"atime", b"ctime", b"comment", b"uid", b"gid", b"uname", b"gname",
];

/// Reads them. Of a record that is there twice some readers take the first and others the last; what a key means that
/// is not known here nobody knows. The error is what is wrong with them.
pub(super) fn parse(mut bytes: &[u8], is_global: bool) -> Result<Records, String> {
    let mut records = Records::default();
    let mut seen: Vec<&[u8]> = Vec::new();
    while !bytes.is_empty() {
        let (key, value, rest) = record(bytes).ok_or("its extended records are damaged")?;
        bytes = rest;
        let shown = || format!("{:?}", String::from_utf8_lossy(key));
        if seen.contains(&key) {
            return Err(format!("it has the extended record {} twice", shown()));
        }
        seen.push(key);
        match key {
            b"path" if !is_global => records.path = Some(value.to_vec()),
            b"linkpath" if !is_global => records.linkpath = Some(value.to_vec()),
            key if HARMLESS.contains(&key) => {}
            _ => {
                return Err(format!(
                    "it has the extended record {}, which no image needs",
                    shown()
                ));
            }
        }
    }
    Ok(records)
}

/// `<length> <key>=<value>\n`, where the length counts itself. The value has no control characters: some readers
/// find the end of a record by its length, others by its line break.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let digits = bytes.get(..space)?;
    let is_plain = digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0');
    let length: usize = std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_plain)?
        .parse()
        .ok()?;
    let (whole, rest) = bytes.split_at_checked(length)?;
    let inner = whole.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = inner.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (inner.get(..equals)?, inner.get(equals + 1..)?);
    // An empty value takes a record back for some readers.
    let is_clean = !value.is_empty() && !inner.iter().any(u8::is_ascii_control);
    is_clean.then_some((key, value, rest))
}

/// A long name as GNU tar writes it.
pub(super) fn long_name(bytes: &[u8]) -> Result<Vec<u8>, String> {
    text(bytes)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| "its long name goes on after its end".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_one_meaning_or_none() {
        let good = parse(b"11 path=ab\n20 mtime=1234567.89\n14 linkpath=c\n", false).unwrap();
        assert_eq!(good.path.as_deref(), Some(&b"ab"[..]));
        assert_eq!(good.linkpath.as_deref(), Some(&b"c"[..]));
        assert!(parse(b"20 mtime=1234567.89\n", true).is_ok());
        for (bad, is_global) in [
            (&b"9 path=a\n9 path=b\n"[..], false),
            (b"9 path=a\n", true),
            (b"14 linkpath=a\n", true),
            (b"14 linkpath=a\n9 path=a\n14 linkpath=a\n", false),
            (b"9 size=1\n", false),
            (b"22 GNU.sparse.major=1\n", false),
            (b"23 SCHILY.xattr.user=1\n", false),
            (b"19 path=a\n9 path=b\n", false),
            (b"011 path=a\n", false),
            (b"+11 path=a\n", false),
            (b"8 path=a\n", false),
            (b"8 path=\n", false),
            (b"11 path=a\0\n", false),
            (b"9 path=a\n\0\0", false),
            (b"99999999999999999999 path=a\n", false),
            (b"path=a\n", false),
        ] {
            let shown = String::from_utf8_lossy(bad);
            assert!(parse(bad, is_global).is_err(), "{shown:?}");
        }
    }
}
