//! What is published of the wire types is what the code has, and only ever grows.
//!
//! `TWIST_UPDATE_REFERENCE=1 cargo test -p contracts` writes the pages under `docs/reference/schemas/`.

mod codes;
mod frames;
mod schemas;
