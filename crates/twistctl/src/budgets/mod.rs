//! Sizes against what was agreed on.
