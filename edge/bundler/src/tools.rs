//! The two programs that are run: `wasm-opt` and `esbuild`.

use crate::BundleError;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What rustc's wasm32 target and wasm-bindgen's glue use. Named one by one, so that a newer wasm-opt never
/// writes an encoding that the Workers runtime cannot read yet.
const WASM_FEATURES: [&str; 7] = [
    "bulk-memory",
    "exception-handling",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

/// Where the tools are.
#[derive(Debug, Clone)]
pub struct Tools {
    esbuild: PathBuf,
    wasm_opt: PathBuf,
}

impl Tools {
    /// Both tools, or which variable is missing. Nothing is looked up on `PATH` or downloaded: the versions
    /// are part of what is built.
    pub fn found(esbuild: Option<PathBuf>, wasm_opt: Option<PathBuf>) -> Result<Self, BundleError> {
        let named = |path: Option<PathBuf>, variable, tool| {
            path.filter(|p| !p.as_os_str().is_empty())
                .ok_or(BundleError::ToolMissing { variable, tool })
        };
        Ok(Self {
            esbuild: absolute(&named(esbuild, "ESBUILD_BIN", "esbuild")?)?,
            wasm_opt: absolute(&named(wasm_opt, "WASM_OPT_BIN", "wasm-opt")?)?,
        })
    }

    /// Shrinks `module` in place. Function names stay: a stack trace without them is of no use.
    pub fn optimise(&self, module: &Path) -> Result<(), BundleError> {
        let mut command = Command::new(&self.wasm_opt);
        command.arg(module).arg("-o").arg(module).args([
            "-Os",
            "--debuginfo",
            "--strip-producers",
            "--strip-target-features",
        ]);
        for feature in WASM_FEATURES {
            command.arg(format!("--enable-{feature}"));
        }
        run(command).map(drop)
    }

    /// One script from `entry.js` and what it imports; the WebAssembly module stays a file of its own.
    pub fn bundle(&self, folder: &Path) -> Result<String, BundleError> {
        let mut command = Command::new(&self.esbuild);
        command.current_dir(folder).args([
            "entry.js",
            "--bundle",
            "--format=esm",
            "--target=es2022",
            "--supported:import-source=true",
            "--minify",
            "--legal-comments=none",
            "--log-level=warning",
            "--external:./index_bg.wasm",
            "--external:cloudflare:*",
            "--outfile=bundled.js",
        ]);
        run(command)?;
        let bundled = folder.join("bundled.js");
        let text = fs::read_to_string(&bundled).map_err(BundleError::file(&bundled))?;
        // Workers give a compiled module for a plain import; they do not know source-phase imports.
        Ok(text.replace("import source ", "import "))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, BundleError> {
    path.canonicalize()
        .map_err(|source| BundleError::ToolStart {
            tool: path.display().to_string(),
            source,
        })
}

fn run(mut command: Command) -> Result<Vec<u8>, BundleError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|source| BundleError::ToolStart {
        tool: tool.clone(),
        source,
    })?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    Err(BundleError::ToolFailed {
        tool,
        status: done.status.to_string(),
        output: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_named_is_asked_for_and_not_looked_up() {
        let tool = || Some(PathBuf::from("/bin/sh"));
        let none = || Some(PathBuf::new());
        for (esbuild, wasm_opt, missing) in [
            (None, tool(), "ESBUILD_BIN"),
            (none(), tool(), "ESBUILD_BIN"),
            (tool(), None, "WASM_OPT_BIN"),
        ] {
            let error = Tools::found(esbuild, wasm_opt).unwrap_err().to_string();
            assert!(error.contains(missing), "{error}");
        }
        assert!(Tools::found(Some("/no/such/tool".into()), tool()).is_err());
    }

    #[test]
    fn a_tool_that_fails_is_quoted() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo 'out of cheese' >&2; exit 3"]);
        let error = run(command).unwrap_err().to_string();
        assert!(
            error.contains("out of cheese") && error.contains('3'),
            "{error}"
        );
    }
}
