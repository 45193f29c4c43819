//! Strict extractors. Each says what is wrong in the platform's own error body, points at the field, and
//! never repeats what was sent.

mod body;
mod explain;
mod json;
mod path;
mod query;
mod strict_json;

pub use body::read_limited;
pub(crate) use json::parse as parse_json;
pub use json::{DEFAULT_BODY_LIMIT, Json};
pub use path::Path;
pub use query::Query;
