//! Whether what a service says is what its `OpenAPI` document promises. For tests only.

pub mod access;
