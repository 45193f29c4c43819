//! Types that carry how private a value is, so that it cannot be printed or sent by accident.
//!
//! [`Secret`] is what opens something: keys, passwords, tokens. [`Pii`] is what tells who somebody is: addresses,
//! user agents. Neither can be formatted for people or serialised, and `{:?}` shows neither, so a log line, an error
//! or an answer with one in it does not compile or says nothing. Whoever needs the value says so, by name.

mod pii;
mod secret;

pub use pii::Pii;
pub use secrecy::ExposeSecret;
pub use secret::Secret;

#[cfg(test)]
mod tests;
