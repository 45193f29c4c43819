//! What tells who somebody is.

use std::fmt;

/// Personal data: printed as `[PII]`, never serialised, read with [`Pii::expose`].
///
/// It can be compared and hashed, which is what limits and lookups need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Marks `value` as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Not for logs, metrics, errors or answers.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Another value made of this one, as personal as this one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Pii<U> {
        Pii(change(self.0))
    }
}

impl<T> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[PII]")
    }
}
