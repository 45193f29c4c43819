//! Cohorts: choosing groups of users without the server learning who is in which.
//!
//! A page asks for the week's [`Salt`] once, and gets a [`Filter`] from whoever targets; its own cohort it computes
//! itself. Whether the two meet is decided on the device ([`Filter::admits`]); no request tells. A cohort with fewer than
//! [`K`] members that were seen is in no filter.

mod bloom;
mod config;
mod criteria;
mod filter;
mod name;
mod salt;

pub use bloom::{Bloom, BloomDocument, NoFilter};
pub use config::Config;
pub use criteria::{Criteria, MOST_COHORTS};
pub use filter::{Filter, VERSION};
pub use name::{Cohort, NoCohort};
pub use salt::{Salt, Week, pseudonym};

use serde::{Deserialize, Serialize};

/// Members a cohort needs to be in a filter, if the deployment says nothing else.
pub const K: u32 = 5;

/// The object's name; there is one census.
pub const NAME: &str = "census-0";
/// The origin of the object's URLs; nothing listens there.
pub const ORIGIN: &str = "https://census";
/// Takes a [`Seen`], answers `{}`.
pub const SEEN: &str = "/seen";
/// Takes a [`Count`], answers [`Counted`].
pub const COUNT: &str = "/count";

/// A member of a cohort was here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The week, by number.
    pub week: u64,
    /// The cohort.
    pub cohort: Cohort,
    /// The member's [`pseudonym`] of that week.
    pub member: String,
    /// With so many members no more have to be kept.
    pub enough: u32,
}

/// How many members were here in one of two weeks?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The newer week, by number.
    pub week: u64,
    /// Of these.
    pub cohorts: Vec<Cohort>,
}

/// The answer: the larger number of the two weeks, for each cohort in order. A member of both has two names, so the
/// numbers of two weeks cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Members.
    pub members: Vec<u64>,
}
