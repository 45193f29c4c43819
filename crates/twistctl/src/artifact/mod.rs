//! Built artifacts: read from the disk, described in a manifest.

pub mod assemble;
pub mod oci;
pub mod walk;
