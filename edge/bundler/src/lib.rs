//! Turns a compiled Worker into the deployable index.js and index_bg.wasm.
