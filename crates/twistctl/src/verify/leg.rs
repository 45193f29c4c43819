//! One kind of question.

use crate::verify::{Context, Row};

/// Compares one thing, or several of one kind, with the manifest.
///
/// It never fails: what cannot be looked at is a row that says so.
pub trait Leg {
    /// One row for each comparison that was asked for, whatever became of it.
    fn check(&self, context: &Context) -> Vec<Row>;
}
