//! The JavaScript half of a module, and what the module exports.

use crate::BundleError;
use std::fs;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// Functions that belong to the machinery, not to the Worker.
const MACHINERY: [&str; 2] = ["__wbg_reset_state", "__worker_init_state"];

/// What a Worker module exports to JavaScript, in the order of the generated file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Free functions: handlers such as `fetch`, and methods for service bindings.
    pub functions: Vec<String>,
    /// Durable Object classes.
    pub classes: Vec<String>,
}

/// Writes `index.js`, `index_bg.wasm` and snippets for `wasm` into `folder`.
pub fn write(wasm: &Path, folder: &Path) -> Result<Exports, BundleError> {
    let bytes = fs::read(wasm).map_err(BundleError::file(wasm))?;
    let bindgen = |error| BundleError::Bindgen(format!("{error:#}"));
    let mut generator = Bindgen::new();
    generator
        .input_bytes("index", bytes)
        .typescript(false)
        // The runtime prints names in a stack trace; without them a panic cannot be placed.
        .remove_name_section(false)
        .reset_state_function(true)
        .force_enable_abort_handler(true);
    generator
        .module(true)
        .map_err(bindgen)?
        .generate(folder)
        .map_err(bindgen)?;
    let script = folder.join("index.js");
    let text = fs::read_to_string(&script).map_err(BundleError::file(&script))?;
    let exports = exports_of(&text);
    if exports == Exports::default() {
        return Err(BundleError::NotAWorker);
    }
    Ok(exports)
}

/// Reads the export declarations of a script that wasm-bindgen wrote: one a line.
fn exports_of(script: &str) -> Exports {
    let mut exports = Exports::default();
    for declaration in script.lines().filter_map(|l| l.strip_prefix("export ")) {
        let declaration = declaration.strip_prefix("async ").unwrap_or(declaration);
        if let Some(rest) = declaration.strip_prefix("class ") {
            exports.classes.extend(identifier(rest));
        } else if let Some(rest) = declaration.strip_prefix("function ") {
            exports.functions.extend(identifier(rest));
        } else if let Some((_, rest)) = declaration.split_once(" as ") {
            exports.functions.extend(identifier(rest));
        }
    }
    exports
        .functions
        .retain(|name| !MACHINERY.contains(&name.as_str()));
    exports
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))
        .collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_or_object_is_not_left_out_of_the_bundle() {
        let script = "/* exports */\nexport class VauShard {\n  x() {}\n}\n\
            export function fetch(req, env, ctx) {\n}\nexport async function queue(event) {\n}\n\
            function inner() {}\nexport function __wbg_reset_state () {\n}\nexport { odd as default_ };\n";
        let exports = exports_of(script);
        assert_eq!(exports.classes, ["VauShard"]);
        assert_eq!(exports.functions, ["fetch", "queue", "default_"]);
    }
}
