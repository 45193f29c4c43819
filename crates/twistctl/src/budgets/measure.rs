//! Figures of an artifact. They are of the files that are there, which have to be those of the manifest.

use crate::CtlError;
use crate::budgets::Measure;
use attest::{Artifact, Entry, Sha256};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::Path;

/// The figure in bytes; none when the manifest has no such figure.
pub(super) fn measure(
    dist: &Path,
    artifact: &Artifact,
    measure: Measure,
) -> Result<Option<u64>, CtlError> {
    if measure == Measure::Closure {
        return Ok(artifact.closure_size);
    }
    let mut sum = 0;
    for entry in &artifact.files {
        let Entry::File { path, sha256, .. } = entry else {
            continue;
        };
        let file = dist.join(artifact.name.as_str()).join(path.as_str());
        let bytes = fs::read(&file).map_err(CtlError::io("read", &file))?;
        if Sha256::of(&bytes) != *sha256 {
            return Err(CtlError::Help(format!(
                "{} is not the file of the manifest; build again",
                file.display()
            )));
        }
        let counted = match measure {
            Measure::Gzip => compressed(&bytes).map_err(CtlError::io("compress", &file))?,
            Measure::Size | Measure::Closure => bytes.len(),
        };
        sum += counted as u64;
    }
    Ok(Some(sum))
}

fn compressed(bytes: &[u8]) -> std::io::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
