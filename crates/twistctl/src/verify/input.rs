//! What is given on the command line, and what is wrong with it.

use crate::artifact::walk;
use attest::Manifest;
use std::io::Read;
use std::path::Path;

/// The question cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(String);

impl BadInput {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    pub(crate) fn without_question(option: &str) -> Self {
        Self::new(format!(
            "{option} says how something is compared, and nothing is: give --dist, --oci, --service, --worker, --stack or --rebuild"
        ))
    }

    pub(crate) fn nothing_asked() -> Self {
        Self::new(
            "nothing was asked for: give --dist, --oci, --service, --worker, --stack or --rebuild, or a signature with --signature and --key",
        )
    }
}

pub(crate) fn manifest(path: &Path) -> Result<(Vec<u8>, Manifest), BadInput> {
    let bytes = small_file(path, Manifest::MAX_BYTES)?;
    let manifest = Manifest::parse(&bytes)
        .map_err(|error| BadInput::new(format!("the manifest {}: {error}", path.display())))?;
    Ok((bytes, manifest))
}

/// A text file that ought to be small.
pub(crate) fn small_text(path: &Path) -> Result<String, BadInput> {
    String::from_utf8(small_file(path, 64 << 10)?)
        .map_err(|_| BadInput::new(format!("{} is no text", path.display())))
}

fn small_file(path: &Path, most: usize) -> Result<Vec<u8>, BadInput> {
    let (file, _) = walk::open(path).map_err(|error| BadInput::new(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| BadInput::new(format!("cannot read {}: {error}", path.display())))?;
    if bytes.len() > most {
        return Err(BadInput::new(format!(
            "{} is larger than {} KiB",
            path.display(),
            most >> 10
        )));
    }
    Ok(bytes)
}

/// `NAME=VALUE`, if NAME could be an artifact's.
pub(crate) fn named(given: &str) -> (Option<&str>, &str) {
    match given.split_once('=') {
        Some((name, value)) if attest::ArtifactName::try_from(name).is_ok() => (Some(name), value),
        _ => (None, given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_a_path_or_url_with_an_equals_sign() {
        assert_eq!(named("oci-a=/x=y"), (Some("oci-a"), "/x=y"));
        for plain in ["/x=y", "./x=y", "http://h/?a=b", "image.tar", "X=y"] {
            assert_eq!(named(plain), (None, plain), "{plain}");
        }
    }
}
