//! What Cloudflare's refusals mean to the person who typed the command.

use std::error::Error;
use std::time::Duration;

/// There is no such script.
const SCRIPT_ABSENT: [u32; 2] = [10007, 10090];
/// The script's migration tag is another than the one that was sent along.
const TAG_MISMATCH: u32 = 10079;
/// A version upload may not migrate.
const MIGRATION_IN_VERSION: u32 = 10211;
/// A secret was changed after the version that is asked for.
const SECRET_CHANGED: u32 = 10220;
/// A binding to a class that the script does not have yet.
const CLASS_ABSENT: [u32; 2] = [10061, 10123];
/// A class that is to be created is there.
const CLASS_THERE: u32 = 10074;

/// A request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The settings.
    #[error("{0}")]
    Setup(String),
    /// Nobody answered.
    #[error("could not {what}: Cloudflare's API cannot be reached ({cause})")]
    Unreachable {
        /// The operation.
        what: String,
        /// The reason.
        cause: String,
    },
    /// The connection ended before the answer did.
    #[error(
        "could not {what}: the answer did not arrive ({cause}); it may have been done nevertheless, so give the same command again: it looks first"
    )]
    BrokenOff {
        /// The operation.
        what: String,
        /// The reason.
        cause: String,
    },
    /// An answer of many megabytes.
    #[error("could not {what}: the answer is larger than anything that belongs there")]
    TooLarge {
        /// The operation.
        what: String,
    },
    /// Not the form that is documented.
    #[error("could not {what}: the answer is not one of Cloudflare's API ({why})")]
    Unreadable {
        /// The operation.
        what: String,
        /// Why.
        why: String,
    },
    /// 401 and 403.
    #[error(
        "could not {what}: Cloudflare does not take the token ({status}{}); it has expired, was revoked, or lacks a permission or this account: make another one and set CLOUDFLARE_API_TOKEN",
        stated(message)
    )]
    Token {
        /// The operation.
        what: String,
        /// 401 or 403.
        status: u16,
        /// What the API says.
        message: String,
    },
    /// 429, also after waiting.
    #[error("could not {what}: too many requests for this account; try again in {}", waiting(*wait))]
    RateLimited {
        /// The operation.
        what: String,
        /// What the API asks for.
        wait: Option<Duration>,
    },
    /// 5xx.
    #[error(
        "could not {what}: Cloudflare's API has a fault of its own ({status}); it may have been done nevertheless, so give the same command again: it looks first"
    )]
    Server {
        /// The operation.
        what: String,
        /// The status.
        status: u16,
    },
    /// Anything else.
    #[error("could not {what}: {message} ({}){}", number(*code, *status), advice(*code))]
    Refused {
        /// The operation.
        what: String,
        /// The status.
        status: u16,
        /// The API's code, 0 without one.
        code: u32,
        /// What the API says.
        message: String,
    },
}

impl ApiError {
    pub(super) fn transport(what: &str, error: &reqwest::Error) -> Self {
        let mut cause: &dyn Error = error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let cause = if error.is_timeout() {
            "it took too long".to_owned()
        } else {
            cause.to_string()
        };
        let what = what.to_owned();
        if error.is_connect() {
            Self::Unreachable { what, cause }
        } else {
            Self::BrokenOff { what, cause }
        }
    }

    /// Whether it may go away by itself.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::BrokenOff { .. })
    }

    /// Whether it says that there is no such script.
    pub fn is_no_script(&self) -> bool {
        matches!(self, Self::Refused { status: 404, code, .. } if SCRIPT_ABSENT.contains(code))
    }
}

fn stated(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

fn waiting(wait: Option<Duration>) -> String {
    wait.map_or_else(
        || "a few minutes".to_owned(),
        |wait| format!("{} s", wait.as_secs()),
    )
}

fn number(code: u32, status: u16) -> String {
    if code == 0 {
        format!("status {status}")
    } else {
        format!("code {code}")
    }
}

fn advice(code: u32) -> &'static str {
    match code {
        TAG_MISMATCH => {
            "; somebody migrated the Durable Objects in between: look with `twistctl edge status`, then publish again"
        }
        MIGRATION_IN_VERSION => {
            "; a release that migrates Durable Objects goes to all requests at once: publish it without --percent"
        }
        SECRET_CHANGED => {
            "; going back would bring the older secret back with it: publish the older bundle instead"
        }
        CLASS_THERE => {
            "; the script has the class and not the tag of the migration that made it: its list of migrations is not the one in edge/bindings.json"
        }
        code if CLASS_ABSENT.contains(&code) => {
            "; the script that holds the class has to be published first: give the command without --worker"
        }
        code if SCRIPT_ABSENT.contains(&code) => {
            "; the environment's name or the account is another one, or it was never published"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do() {
        let refused = |code, message: &str| {
            let error = ApiError::Refused {
                what: "publish x".into(),
                status: 412,
                code,
                message: message.into(),
            };
            error.to_string()
        };
        let text = refused(
            10079,
            "Migration tag precondition failed; current tag is v1",
        );
        assert!(
            text.contains("current tag is v1 (code 10079); somebody"),
            "{text}"
        );
        assert!(refused(10211, "m").contains("without --percent"));
        assert!(refused(0, "m").ends_with("m (status 412)"));
    }
}
