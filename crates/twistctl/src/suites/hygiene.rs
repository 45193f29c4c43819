//! STUB
use crate::Paths;
use crate::suites::{Done, Tally};

pub(super) fn check(_paths: &Paths) -> Done {
    Ok((Tally::of(true), String::new()))
}
