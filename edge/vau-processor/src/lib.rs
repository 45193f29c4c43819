//! The Worker that takes signed VAUs in.
