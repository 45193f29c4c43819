//! The list of all points.

/// Declares the points with their names.
macro_rules! points {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A place in the code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Point {
            $($(#[$doc])* $variant,)*
        }

        impl Point {
            /// Every point, so that a test can see that each has a test.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name, unique.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

points! {
    /// A request with an `Idempotency-Key` has had its effect, which is not committed.
    OnceBeforeCommit = "once.before_commit",
    /// The effect is committed, the client has no answer.
    OnceAfterCommit = "once.after_commit",
}
