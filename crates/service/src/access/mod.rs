//! Who may call what: each route is declared with its [`Rule`], and one gate enforces all of them.
//!
//! A service lists its routes in [`Routes`]. There is no way to add one without a rule, so the list is at the same
//! time the authorisation table, the source of `security` in the `OpenAPI` document, and what the tests walk.

mod gate;
mod policy;
mod routes;

pub(crate) use gate::Gate;
pub use gate::Guards;
pub use policy::{Policy, Role, Rule};
pub use routes::{RouteRule, Routes};
