//! Build outputs, which belong in no repository: they hide what the sources really give.

use std::ffi::OsStr;
use std::path::Path;

/// Names of folders (or links to them) that tools write into.
const FOLDERS: [&str; 8] = [
    ".direnv",
    ".terraform",
    ".wrangler",
    "__pycache__",
    "dist",
    "node_modules",
    "result",
    "target",
];

/// Endings of what compilers and tools write.
const ENDINGS: [&str; 18] = [
    "a",
    "class",
    "dll",
    "dylib",
    "exe",
    "o",
    "oci",
    "profdata",
    "profraw",
    "pyc",
    "qcow2",
    "rlib",
    "rmeta",
    "so",
    "tfplan",
    "tfstate",
    "tsbuildinfo",
    "wasm",
];

/// Why `path` is no source; `None` when it can be one.
pub(super) fn reason(path: &Path) -> Option<String> {
    let folder = path
        .iter()
        .filter_map(OsStr::to_str)
        .find(|name| FOLDERS.contains(name) || name.starts_with("result-"));
    if let Some(folder) = folder {
        return Some(format!(
            "a build output is tracked (`{folder}` is written by tools)"
        ));
    }
    let ending = path.extension()?.to_str()?;
    ENDINGS
        .contains(&ending)
        .then(|| format!("a build output is tracked (.{ending})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_known_by_its_folder_or_its_ending() {
        for output in [
            "target/debug/twistctl",
            "edge/node_modules/x/index.js",
            "dist/release.json",
            "result",
            "result-1",
            "edge/terraform/.terraform/x",
            "edge/terraform/main.tfstate",
            "a/b/index_bg.wasm",
            "programs/x/x.so",
            "tools/__pycache__/a.pyc",
            "web/app.tsbuildinfo",
        ] {
            assert!(reason(Path::new(output)).is_some(), "{output}");
        }
    }

    #[test]
    fn a_source_with_a_similar_name_is_left_alone() {
        for source in [
            "crates/twistctl/src/smoke/target.rs",
            "crates/twistctl/src/build/mod.rs",
            "docs/results.md",
            "nix/packages/node-modules.nix",
            "crates/domain/src/distance.rs",
            "edge/terraform/main.tf",
            "src/so",
        ] {
            assert_eq!(reason(Path::new(source)), None, "{source}");
        }
    }
}
