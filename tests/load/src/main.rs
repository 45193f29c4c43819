//! What the services cost.

fn main() {}
