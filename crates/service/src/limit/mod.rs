//! How often a caller may call.

mod class;

pub use class::RateClass;
