//! Rules without I/O.

pub mod device;
pub mod ingest;
