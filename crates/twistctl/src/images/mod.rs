//! Container images run as a container runtime would run them, without one: each in a root of its own, as the
//! user that it names, with nothing of this machine in sight but the network.

mod container;
mod unpack;

pub(crate) use container::Container;

use crate::artifact::oci;
use crate::{CtlError, Paths, tools};
use attest::{Manifest, Verdict, compare_image};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the release whose images are run: `TWIST_RELEASE`, or what the flake builds now.
pub(crate) fn release(paths: &Paths) -> Result<PathBuf, CtlError> {
    if let Some(folder) = env::var_os("TWIST_RELEASE") {
        return Ok(folder.into());
    }
    if stack::binaries::on_path("nix").is_none() {
        return Err(CtlError::Help(
            "images are built with Nix, which is not here: https://nixos.org/download; or set TWIST_RELEASE to a release folder".into(),
        ));
    }
    let subcommand = ["build", ".#release", "--no-link", "--print-out-paths"];
    let output = tools::nix(paths, &subcommand)
        .output()
        .map_err(CtlError::io("run", Path::new("nix")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout).into())
    } else {
        Err(CtlError::Tool {
            what: "nix build .#release".into(),
            output: text(&output.stderr),
        })
    }
}

/// Unpacks the image of `program` beneath `folder`, once it is known to be the manifest's.
pub(crate) fn container(
    release: &Path,
    program: &str,
    folder: &Path,
) -> Result<Container, CtlError> {
    let name = format!("oci-{program}");
    let wrong = |reason: String| CtlError::Help(format!("{name}: {reason}"));
    let manifest = release.join("release.json");
    let bytes = fs::read(&manifest).map_err(CtlError::io("read", &manifest))?;
    let manifest = Manifest::parse(&bytes)
        .map_err(|error| wrong(format!("{}: {error}", manifest.display())))?;
    let expected = manifest
        .artifact(&name)
        .and_then(|artifact| artifact.image.as_ref())
        .ok_or_else(|| wrong("the manifest has no such image".into()))?;
    let archive = release.join(&name).join("image.tar.gz");
    let image = oci::read(&archive).map_err(|error| wrong(error.to_string()))?;
    if compare_image(expected, &image.image) != Verdict::Match {
        return Err(wrong("it is not the image of the manifest".into()));
    }
    let root = folder.join(&name);
    for layer in &image.layers {
        unpack::layer(layer, &root)?;
    }
    Container::new(root, &image.config)
}
