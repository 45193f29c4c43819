//! The release manifest.
