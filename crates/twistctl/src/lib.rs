//! The one command line of TWIST for developers, operators and auditors.
//!
//! Each subcommand is a file in [`commands`]. What they share: [`build`] makes the artifacts,
//! [`platform`] runs them on this machine, [`smoke`] walks the journeys, [`suites`] runs the tests.

pub mod artifact;
pub mod budgets;
pub mod build;
pub mod cli;
pub mod commands;
pub mod edge;
pub mod error;
pub mod paths;
pub mod platform;
pub mod repository;
pub mod sbom;
pub mod smoke;
pub mod suites;
pub mod verify;

mod audit;
mod git;
mod images;
mod reproduce;
mod run;
mod tools;
mod ui;

pub use error::CtlError;
pub use paths::Paths;
