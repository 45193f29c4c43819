//! From a plan, which says what was built where, to the manifest.

use crate::CtlError;
use crate::artifact::{oci, walk};
use attest::{
    Artifact, ArtifactName, Builder, Draft, Kind, Manifest, NarHash, Node, RelativePath, Source,
    StorePath, System,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What the flake or `build` writes down. Other members are ignored, so that the attributes of a Nix
/// derivation can be given as they are.
#[derive(Debug, Clone, Deserialize)]
pub struct Input {
    /// What was built.
    pub plan: Plan,
    /// Everything in the Nix store that the artifacts need at run time, themselves included.
    #[serde(default)]
    pub closure: Vec<ClosurePath>,
}

/// What was built.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// The version of the workspace.
    pub version: String,
    /// What built it.
    pub builder: Builder,
    /// For which machine.
    pub system: System,
    /// From what.
    pub source: Source,
    /// With which tools.
    pub toolchain: BTreeMap<String, String>,
    /// With which flake inputs.
    pub inputs: BTreeMap<String, NarHash>,
    /// Where the artifacts lie.
    pub artifacts: Vec<Planned>,
}

/// One artifact.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Its name.
    pub name: ArtifactName,
    /// What it is.
    pub kind: Kind,
    /// The folder.
    pub path: PathBuf,
}

/// One path of the Nix store, as `exportReferencesGraph` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosurePath {
    path: String,
    nar_hash: String,
    nar_size: u64,
    #[serde(default)]
    references: Vec<String>,
}

/// Reads the artifacts of the plan and describes them.
pub fn assemble(input: Input) -> Result<Manifest, CtlError> {
    let Input { plan, closure } = input;
    let artifacts = plan
        .artifacts
        .iter()
        .map(|planned| describe(planned, plan.system, &closure))
        .collect::<Result<Vec<_>, _>>()?;
    let draft = Draft {
        version: plan.version,
        builder: plan.builder,
        system: plan.system,
        source: plan.source,
        toolchain: plan.toolchain,
        inputs: plan.inputs,
        artifacts,
    };
    draft
        .finish()
        .map_err(|error| CtlError::Help(format!("these artifacts make no release: {error}")))
}

/// Writes the manifest, of which it is certain that it reads back.
pub fn write(manifest: &Manifest, file: &Path) -> Result<(), CtlError> {
    let unusable = |error| CtlError::Help(format!("the manifest does not read back: {error}"));
    let bytes = manifest.to_bytes().map_err(unusable)?;
    Manifest::parse(&bytes).map_err(unusable)?;
    fs::write(file, bytes).map_err(CtlError::io("write", file))
}

fn describe(
    planned: &Planned,
    system: System,
    closure: &[ClosurePath],
) -> Result<Artifact, CtlError> {
    let wrong = |reason: String| CtlError::Help(format!("{}: {reason}", planned.name));
    let node = walk::read(&planned.path)?;
    let nar_hash = node.nar_hash();
    let known = planned
        .path
        .to_str()
        .and_then(|path| closure.iter().find(|known| known.path == path));
    if let Some(known) = known
        && parse_nar_hash(&known.nar_hash) != Some(nar_hash)
    {
        return Err(wrong(format!(
            "Nix knows {} as {}, but its files give {nar_hash}",
            known.path, known.nar_hash
        )));
    }
    let image = match planned.kind {
        Kind::Image => {
            let archive = planned.path.join("image.tar.gz");
            let read = oci::read(&archive).map_err(|error| wrong(error.to_string()))?;
            Some(read.image)
        }
        _ => None,
    };
    let program_hash = match planned.kind {
        Kind::Program => Some(attest::program_hash(elf(planned, &node).map_err(wrong)?)),
        _ => None,
    };
    Ok(Artifact {
        name: planned.name.clone(),
        kind: planned.kind,
        canonical_system: match planned.kind {
            Kind::Worker | Kind::Program => System::X8664Linux,
            Kind::Service | Kind::Tool | Kind::Image | Kind::Sbom => system,
        },
        store_path: planned
            .path
            .to_str()
            .and_then(|path| StorePath::try_from(path).ok()),
        nar_hash,
        closure_size: known.map(|known| closure_size(known, closure)),
        files: node.entries().map_err(|error| wrong(error.to_string()))?,
        image,
        program_hash,
    })
}

fn elf<'a>(planned: &Planned, node: &'a Node) -> Result<&'a [u8], String> {
    let file = format!("{}.so", planned.name);
    let path = RelativePath::try_from(file.as_str()).map_err(|error| error.to_string())?;
    match node.at(&path) {
        Some(Node::File { contents, .. }) => Ok(contents),
        _ => Err(format!("{file} is missing")),
    }
}

/// Bytes of everything that is reached from `from`.
fn closure_size(from: &ClosurePath, closure: &[ClosurePath]) -> u64 {
    let by_path: BTreeMap<&str, &ClosurePath> = closure
        .iter()
        .map(|known| (known.path.as_str(), known))
        .collect();
    let mut seen = BTreeSet::from([from.path.as_str()]);
    let mut ahead = vec![from];
    let mut size = 0;
    while let Some(path) = ahead.pop() {
        size += path.nar_size;
        for reference in &path.references {
            if let Some(next) = by_path.get(reference.as_str())
                && seen.insert(&next.path)
            {
                ahead.push(next);
            }
        }
    }
    size
}

/// Nix writes hashes in base 32, base 16 or as SRI, depending on who asks.
fn parse_nar_hash(text: &str) -> Option<NarHash> {
    if let Ok(sri) = NarHash::try_from(text) {
        return Some(sri);
    }
    let digits = text.strip_prefix("sha256:")?;
    if digits.len() == 64 {
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        return Some(NarHash::from_bytes(bytes));
    }
    from_base32(digits).map(NarHash::from_bytes)
}

/// Nix' own base 32: its alphabet leaves out e, o, t and u, and the digits come from the last bits to the first.
fn from_base32(digits: &str) -> Option<[u8; 32]> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";
    if digits.len() != 52 {
        return None;
    }
    let mut bytes = [0u8; 32];
    for (at, digit) in digits.bytes().rev().enumerate() {
        let value = ALPHABET.iter().position(|known| *known == digit)?;
        let (byte, shift) = (at * 5 / 8, at * 5 % 8);
        let bits = u16::try_from(value).ok()? << shift;
        let [low, high] = bits.to_le_bytes();
        *bytes.get_mut(byte)? |= low;
        match bytes.get_mut(byte + 1) {
            Some(next) => *next |= high,
            None if high == 0 => {}
            None => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_understood_in_every_form_that_nix_writes() {
        // All three of the empty input.
        let sri = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let expected = NarHash::try_from(sri).unwrap();
        let base32 = "sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
        let base16 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for text in [sri, base32, base16] {
            assert_eq!(parse_nar_hash(text), Some(expected), "{text}");
        }
        for bad in [
            "",
            "sha256:",
            &base32[..58],
            "sha1:abc",
            "sha256:zmdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
        ] {
            assert_eq!(parse_nar_hash(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_closure_counts_what_is_shared_once() {
        let path = |name: &str, size, references: &[&str]| ClosurePath {
            path: name.into(),
            nar_hash: String::new(),
            nar_size: size,
            references: references.iter().map(|name| (*name).into()).collect(),
        };
        let closure = [
            path("a", 1, &["a", "b", "c"]),
            path("b", 10, &["d"]),
            path("c", 100, &["d"]),
            path("d", 1000, &["b"]),
            path("other", 10_000, &["a"]),
        ];
        assert_eq!(closure_size(&closure[0], &closure), 1111);
    }
}
