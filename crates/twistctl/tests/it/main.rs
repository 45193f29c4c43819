//! `twistctl verify` against releases, images and servers that are good, damaged or lying; `twistctl edge` against a
//! server that answers as Cloudflare's API does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod audit;
mod bits;
mod codes;
mod damaged_images;
mod damaged_manifests;
mod dist;
mod edge_apply;
mod edge_faults;
mod edge_publish;
mod edge_redrive;
mod edge_replay;
mod edge_rollback;
mod edge_runbooks;
mod edge_state;
mod edge_terraform;
mod edge_worker;
mod hostile_images;
mod images;
mod kit;
mod rebuild;
mod service;
mod signature;
mod stack;
mod statements;
mod two_readers;
mod walk;
