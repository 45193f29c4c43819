//! STUB
use crate::Paths;
use crate::suites::{Done, Tally};
use crate::ui::Step;

pub(super) fn check(_paths: &Paths, _step: &Step) -> Done {
    Ok((Tally::of(true), String::new()))
}
