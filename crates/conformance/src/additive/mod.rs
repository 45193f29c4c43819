//! The rule inside a version: whoever wrote a client against the older document is served by the newer one.
//!
//! What a client sends must go on being accepted, what it reads must go on being there and mean the same.

mod document;
mod schema;

pub use document::documents;
pub use schema::schemas;

use std::fmt;

/// Which way a value goes. What may change differs: a request may come to be asked for less, an answer may come
/// to say more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Clients send it.
    Request,
    /// Clients read it.
    Response,
}

/// One kind of change that breaks clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A path is gone.
    PathRemoved,
    /// A method of a path is gone.
    OperationRemoved,
    /// An operation has another id: generated clients name their functions after it.
    OperationRenamed,
    /// More is asked of the caller's identity than before.
    SecurityTightened,
    /// A parameter is no longer known.
    ParameterRemoved,
    /// A parameter must be sent that could be left out, or is new.
    ParameterRequired,
    /// A body must be sent that could be left out, or is new.
    BodyRequired,
    /// A media type is no longer taken or given.
    MediaTypeRemoved,
    /// A status is no longer documented.
    ResponseRemoved,
    /// A header of an answer is gone.
    HeaderRemoved,
    /// A member is gone.
    PropertyRemoved,
    /// A member must be sent that could be left out, or is new.
    PropertyRequired,
    /// A member of an answer may now be missing.
    PropertyNoLongerPromised,
    /// Another type, or a wider one in an answer, or a narrower one in a request.
    TypeChanged,
    /// A value of an enumeration is gone, error codes among them.
    EnumValueRemoved,
    /// Free text became an enumeration in a request, or the reverse in an answer.
    EnumChanged,
    /// A request's limit is narrower, or its pattern or format another one.
    ConstraintTightened,
    /// An answer's pattern or format is another one.
    FormChanged,
    /// One of several forms is gone.
    VariantRemoved,
    /// Members that were let through are refused.
    UnknownRefused,
}

/// A change that breaks clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking {
    /// Which rule.
    pub rule: Rule,
    /// Where: `POST /devices 200 /deviceId`.
    pub place: String,
    /// What exactly.
    pub detail: String,
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}: {}", self.place, self.rule, self.detail)
    }
}

/// Fails the test when there is a breaking change.
///
/// # Panics
/// With the list of them.
pub fn assert_additive(what: &str, found: &[Breaking]) {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        found.is_empty(),
        "{what}: not inside a version:\n{}",
        lines.join("\n")
    );
}

/// Collects what is found.
#[derive(Default)]
struct Findings(Vec<Breaking>);

impl Findings {
    fn add(&mut self, rule: Rule, place: &str, detail: impl Into<String>) {
        self.0.push(Breaking {
            rule,
            place: place.to_owned(),
            detail: detail.into(),
        });
    }
}
