//! The module that the Workers runtime loads.
//!
//! A panic leaves a WebAssembly instance unusable: memory may be half written and locks held. The entry
//! therefore notices it and makes a new instance before the next call. Durable Objects live in the
//! instance, so theirs are made anew as well, from the same storage.

use crate::bindings::Exports;
use std::fmt::Write;

/// Calls that the runtime makes on the default export, with the arguments after the first.
const HANDLERS: [&str; 3] = ["fetch", "queue", "scheduled"];

/// Everything but the parts that depend on the module's exports.
const FRAME: &str = include_str!("entry.js");

/// The entry for a module with `exports`.
pub fn module(exports: &Exports) -> String {
    let mut text = FRAME.to_owned();
    text.push_str("\nexport default class extends WorkerEntrypoint {\n");
    for name in &exports.functions {
        let method = if HANDLERS.contains(&name.as_str()) {
            format!(
                "  {name}(event) {{ return guarded(() => wasm.{name}(event, this.env, this.ctx)); }}\n"
            )
        } else {
            format!("  {name}(...values) {{ return guarded(() => wasm.{name}(...values)); }}\n")
        };
        text.push_str(&method);
    }
    text.push_str("}\n");
    for class in &exports.classes {
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "export const {class} = durableObject(() => wasm.{class});"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_offers_every_export_and_nothing_else() {
        let exports = Exports {
            functions: vec!["fetch".into(), "vectors".into()],
            classes: vec!["VauShard".into()],
        };
        let text = module(&exports);
        assert!(text.contains("wasm.fetch(event, this.env, this.ctx)"));
        assert!(text.contains("vectors(...values)"));
        assert!(text.contains("export const VauShard = durableObject(() => wasm.VauShard);"));
        assert!(!text.contains("wasm.queue"));
    }
}
