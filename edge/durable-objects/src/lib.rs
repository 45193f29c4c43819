//! The SQLite Durable Objects of the edge.
