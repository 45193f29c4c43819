//! Makes a compiled Worker deployable, without anything that is not already on the machine.
//!
//! 1. [`bindings`]: `wasm-bindgen` (linked in, at the version of `Cargo.lock`) writes the JavaScript half.
//! 2. [`entry`]: the module that Workers load: default export with the handlers, one class for each
//!    Durable Object, and a fresh WebAssembly instance after a panic.
//! 3. [`tools`]: `wasm-opt` shrinks the module, `esbuild` makes one script of the JavaScript.
//!
//! The same input gives the same bytes, in whatever folder it is done.

pub mod bindings;
pub mod entry;
mod error;
pub mod tools;

pub use error::BundleError;
pub use tools::Tools;

use std::fs;
use std::path::Path;

/// One bundle to make.
#[derive(Debug, Clone, Copy)]
pub struct Bundle<'a> {
    /// The compiled module.
    pub wasm: &'a Path,
    /// The folder for the two files.
    pub out: &'a Path,
}

/// What was written, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// `index.js`.
    pub script: u64,
    /// `index_bg.wasm`.
    pub module: u64,
}

impl Bundle<'_> {
    /// Makes the bundle. The two files appear only when every step has succeeded.
    pub fn make(&self, tools: &Tools) -> Result<Sizes, BundleError> {
        let staging = tempfile::tempdir().map_err(BundleError::file("a temporary folder"))?;
        let exports = bindings::write(self.wasm, staging.path())?;
        let entry = staging.path().join("entry.js");
        fs::write(&entry, entry::module(&exports)).map_err(BundleError::file(&entry))?;

        tools.optimise(&staging.path().join("index_bg.wasm"))?;
        let script = tools.bundle(staging.path())?;

        fs::create_dir_all(self.out).map_err(BundleError::file(self.out))?;
        Ok(Sizes {
            script: place(self.out, "index.js", script.as_bytes())?,
            module: place(
                self.out,
                "index_bg.wasm",
                &read(&staging.path().join("index_bg.wasm"))?,
            )?,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    fs::read(path).map_err(BundleError::file(path))
}

/// Writes beside the target and renames, so that a reader never sees half a file.
fn place(folder: &Path, name: &str, bytes: &[u8]) -> Result<u64, BundleError> {
    let unfinished = folder.join(format!(".{name}.{}", std::process::id()));
    fs::write(&unfinished, bytes).map_err(BundleError::file(&unfinished))?;
    let target = folder.join(name);
    fs::rename(&unfinished, &target).map_err(BundleError::file(&target))?;
    Ok(bytes.len() as u64)
}
