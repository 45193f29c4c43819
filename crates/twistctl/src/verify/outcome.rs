//! The exit codes of `verify`.

use attest::Verdict;

/// What it comes to, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Everything that was asked for was compared and is equal.
    Equal,
    /// Something that was asked for could not be looked at.
    NotChecked,
    /// Something is not there.
    Missing,
    /// Something is another one.
    Differs,
    /// The signature does not hold, or there is none where one was demanded.
    BadSignature,
    /// The question makes no sense: a manifest that is none, an option that leads nowhere.
    BadInput,
}

impl Outcome {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Equal => 0,
            Self::Differs => 1,
            Self::BadInput => 2,
            Self::Missing => 3,
            Self::BadSignature => 4,
            Self::NotChecked => 5,
        }
    }

    /// As the JSON has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::NotChecked => "not-checked",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::BadSignature => "bad-signature",
            Self::BadInput => "bad-input",
        }
    }
}

impl From<&Verdict> for Outcome {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Match => Self::Equal,
            Verdict::Differs(_) => Self::Differs,
            Verdict::Missing(_) => Self::Missing,
            Verdict::NotChecked(_) => Self::NotChecked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_answers_is_the_exit_code() {
        let mut all = [
            Outcome::Differs,
            Outcome::Equal,
            Outcome::BadInput,
            Outcome::NotChecked,
            Outcome::BadSignature,
            Outcome::Missing,
        ];
        all.sort_by(|a, b| b.cmp(a));
        assert_eq!(all.map(Outcome::code), [2, 4, 1, 3, 5, 0]);
    }
}
