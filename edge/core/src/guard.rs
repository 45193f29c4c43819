//! The settings of security-worker, read once and checked.

use crate::bindings::guard as name;
use crate::firewall::{Rule, Shadow};
use crate::settings::list;
use crate::{Secret, SettingsError};

/// Cloudflare's own address for asking about a token.
const TURNSTILE_URL: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
/// Countries that may not be served.
const COUNTRIES: &str = "KP,IR,SY,CU";

/// How callers that look like machines are tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// By work; this many zero bits.
    Work(u8),
    /// By Turnstile.
    Turnstile {
        /// Asks about a token.
        secret: Secret,
        /// For the page's widget.
        site_key: String,
        /// Who is asked.
        url: String,
    },
}

/// Everything that differs between environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardSettings {
    /// Exact web origins.
    pub allowed_origins: Vec<String>,
    /// ISO codes of countries that are refused.
    pub countries: Vec<String>,
    /// Rules that are watched and not enforced.
    pub shadow: Shadow,
    /// Signs challenges, and hashes networks for the audit log.
    pub challenge_secret: Secret,
    /// How callers are tested.
    pub test: Test,
    /// Requests that an address may make in a minute where no VAUs are taken in.
    pub read_per_minute: u32,
}

impl GuardSettings {
    /// Reads the bindings through `value`, which gives a binding's text or nothing.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let text = |name| value(name).filter(|text: &String| !text.is_empty());
        let number = |name, default: u32, most: u32| match text(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=most).contains(n))
                .ok_or(SettingsError::Malformed(name, "a whole number in range")),
        };
        let secret =
            text(name::CHALLENGE_SECRET).ok_or(SettingsError::Missing(name::CHALLENGE_SECRET))?;
        let bits = number(name::CHALLENGE_DIFFICULTY, 18, 32)?;
        let proof = match text(name::TURNSTILE_SECRET) {
            None => Test::Work(u8::try_from(bits).unwrap_or(u8::MAX)),
            Some(secret) => Test::Turnstile {
                secret: Secret::new(secret),
                site_key: text(name::TURNSTILE_SITE_KEY)
                    .ok_or(SettingsError::Missing(name::TURNSTILE_SITE_KEY))?,
                url: text(name::TURNSTILE_URL).unwrap_or_else(|| TURNSTILE_URL.to_owned()),
            },
        };
        let rules = list(value(name::FIREWALL_SHADOW)).into_iter().map(|id| {
            let unknown = SettingsError::Malformed(name::FIREWALL_SHADOW, "a list of rules");
            Rule::from_id(&id).ok_or(unknown)
        });
        // An empty list is meant: nobody is refused.
        let countries = value(name::GEO_BLOCK).unwrap_or_else(|| COUNTRIES.to_owned());
        Ok(Self {
            allowed_origins: list(value(name::ALLOWED_ORIGINS)),
            countries: list(Some(countries.to_ascii_uppercase())),
            shadow: Shadow::of(rules.collect::<Result<Vec<_>, _>>()?),
            challenge_secret: Secret::new(secret),
            test: proof,
            read_per_minute: number(name::RATE_READ_PER_MINUTE, 120, 10_000_000)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<GuardSettings, SettingsError> {
        GuardSettings::read(|asked| {
            let given = pairs.iter().find(|(name, _)| *name == asked);
            given.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn a_wrong_binding_is_named_and_its_value_is_not() {
        let key = (name::CHALLENGE_SECRET, "s3cret");
        for (name, text) in [
            (name::FIREWALL_SHADOW, "sql-injection,no-such-rule"),
            (name::CHALLENGE_DIFFICULTY, "0"),
            (name::CHALLENGE_DIFFICULTY, "33"),
            (name::RATE_READ_PER_MINUTE, "many"),
            (name::TURNSTILE_SECRET, "s3cret"),
        ] {
            let error = with(&[key, (name, text)]).unwrap_err().to_string();
            assert!(
                !error.contains("s3cret") && !error.contains("no-such"),
                "{error}"
            );
        }
        assert_eq!(
            with(&[]),
            Err(SettingsError::Missing(name::CHALLENGE_SECRET))
        );
        let good = with(&[key, (name::FIREWALL_SHADOW, " sql-injection , geo-block")]).unwrap();
        assert!(good.shadow.covers(Rule::GeoBlock) && !good.shadow.covers(Rule::XssAttempt));
        assert_eq!(good.countries, ["KP", "IR", "SY", "CU"]);
        assert!(
            with(&[key, (name::GEO_BLOCK, "")])
                .unwrap()
                .countries
                .is_empty()
        );
        assert!(!format!("{good:?}").contains("s3cret"));
    }
}
