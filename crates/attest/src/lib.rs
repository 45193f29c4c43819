//! The release manifest, and the comparison of artifacts with it.
//!
//! Everything here is pure: bytes in, answers out. Reading files, asking servers and running builds is
//! `twistctl`'s part. An auditor who reads this crate knows what a "yes" of `twistctl verify` rests on:
//!
//! 1. [`Manifest::parse`] accepts one form of the bytes only ([`canonical`]) and refuses whatever it does not
//!    know, so that two readers cannot understand one manifest differently.
//! 2. [`keys`] checks the detached Ed25519 signature over exactly these bytes.
//! 3. [`Node`] hashes an artifact as Nix does ([`nar`]) and file by file.
//! 4. [`compare()`] says whether it is the artifact of the manifest, and if not, where they first differ.
//! 5. [`merkle`] proves that one artifact belongs to a release without the rest of the manifest.

pub mod canonical;
pub mod compare;
pub mod keys;
pub mod merkle;
pub mod nar;

mod artifact;
mod hash;
mod manifest;
mod names;
mod node;
mod program;
mod validate;

pub use artifact::{Artifact, Builder, Entry, Image, Kind, Layer, System};
pub use compare::{Difference, Offset, Verdict, compare, compare_image};
pub use hash::{Blocks, NarHash, Sha256};
pub use keys::{KeyError, PublicKey, Signature, SigningKey};
pub use manifest::{Draft, Manifest, SCHEMA, Source};
pub use names::{ArtifactName, InvalidName, RelativePath, Revision, StorePath};
pub use node::Node;
pub use program::program_hash;
pub use validate::ManifestError;
