//! The environment of a deployment, read once and checked.

use crate::bindings as name;
use domain::Amount;
use domain::reward::DAILY_EMISSION_CAP;
use std::collections::BTreeMap;
use std::fmt;

/// The shortest token that opens operators' routes.
const MIN_OPERATOR_TOKEN: usize = 32;

/// A value that must not appear in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, as key material.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Secret {
    /// Whether `given` is this secret; takes the same time whatever it is.
    pub fn is(&self, given: &str) -> bool {
        let of = |text: &[u8]| domain::bytes::sha256(text);
        let (ours, theirs) = (of(self.bytes()), of(given.as_bytes()));
        let differing = ours.iter().zip(theirs).fold(0, |d, (a, b)| d | (a ^ b));
        differing == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A binding that is missing or cannot be used. Carries the name only, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It has no value.
    #[error("the binding {0} is missing")]
    Missing(&'static str),
    /// Its value has the wrong form.
    #[error("the binding {0} is not {1}")]
    Malformed(&'static str, &'static str),
}

/// Everything that differs between environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where token keys are published.
    pub jwks_url: String,
    /// The exact `iss` of tokens.
    pub token_issuer: String,
    /// The backend, without a trailing slash.
    pub backend_url: String,
    /// Names [`Self::backend_secret`] to the backend.
    pub backend_key_id: String,
    /// Signs requests to the backend.
    pub backend_secret: Secret,
    /// Key id to secret.
    pub integrator_keys: BTreeMap<String, Secret>,
    /// Milliseconds an accepted VAU waits for others.
    pub flush_interval_ms: u64,
    /// Requests with one VAU that an address may make in a minute.
    pub rate_per_minute: u32,
    /// Batches that an address may send in a minute.
    pub batches_per_minute: u32,
    /// Whether the day's free allowances are a limit.
    pub free_tier: bool,
    /// Lets operators read figures; without it nobody does.
    pub operator_token: Option<Secret>,
    /// What may be promised in a UTC day.
    pub emission_cap: Amount,
    /// Milliseconds before an unacknowledged segment is sent the second time.
    pub resend_after_ms: u64,
    /// Exact web origins.
    pub allowed_origins: Vec<String>,
}

impl Settings {
    /// Reads the bindings through `value`, which gives a binding's text or nothing.
    pub fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let text = |name| {
            let text = value(name).filter(|text| !text.is_empty());
            text.ok_or(SettingsError::Missing(name))
        };
        let url = |name| {
            let text = text(name)?;
            if text.starts_with("http://") || text.starts_with("https://") {
                Ok(text.trim_end_matches('/').to_owned())
            } else {
                Err(SettingsError::Malformed(name, "an http(s) URL"))
            }
        };
        let number = |name, default: u64, range: std::ops::RangeInclusive<u64>| match value(name)
            .filter(|text| !text.is_empty())
        {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| range.contains(n))
                .ok_or(SettingsError::Malformed(name, "a whole number in range")),
        };
        let rate = |name, default| {
            number(name, default, 1..=1_000_000).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
        };
        Ok(Self {
            jwks_url: url(name::JWKS_URL)?,
            // Compared byte for byte with the token's claim, so it is taken exactly as it stands.
            token_issuer: text(name::TOKEN_ISSUER)?,
            backend_url: url(name::BACKEND_URL)?,
            backend_key_id: text(name::BACKEND_KEY_ID)?,
            backend_secret: Secret::new(text(name::BACKEND_HMAC_SECRET)?),
            integrator_keys: keys(value(name::INTEGRATOR_KEYS))?,
            flush_interval_ms: number(name::FLUSH_INTERVAL_MS, 45_000, 1..=3_600_000)?,
            rate_per_minute: rate(name::RATE_VAU_PER_MINUTE, 100)?,
            batches_per_minute: rate(name::RATE_BATCH_PER_MINUTE, 10)?,
            free_tier: match value(name::FREE_TIER).as_deref() {
                None | Some("" | "on") => true,
                Some("off") => false,
                Some(_) => {
                    return Err(SettingsError::Malformed(name::FREE_TIER, "on or off"));
                }
            },
            operator_token: match value(name::OPERATOR_TOKEN).filter(|text| !text.is_empty()) {
                None => None,
                Some(text) if text.len() >= MIN_OPERATOR_TOKEN => Some(Secret::new(text)),
                Some(_) => {
                    return Err(SettingsError::Malformed(
                        name::OPERATOR_TOKEN,
                        "at least 32 characters",
                    ));
                }
            },
            emission_cap: match value(name::EMISSION_CAP).filter(|text| !text.is_empty()) {
                None => DAILY_EMISSION_CAP,
                Some(text) => Amount::try_from(text.as_str())
                    .map_err(|_| SettingsError::Malformed(name::EMISSION_CAP, "base units"))?,
            },
            resend_after_ms: number(name::RESEND_AFTER_MS, 60_000, 100..=86_400_000)?,
            allowed_origins: list(value(name::ALLOWED_ORIGINS)),
        })
    }
}

/// The parts of a text with commas, without the space around them.
pub(crate) fn list(text: Option<String>) -> Vec<String> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn keys(text: Option<String>) -> Result<BTreeMap<String, Secret>, SettingsError> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    let malformed = SettingsError::Malformed(name::INTEGRATOR_KEYS, "a JSON object of secrets");
    let keys: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|_| malformed)?;
    if keys
        .iter()
        .any(|(id, secret)| id.is_empty() || secret.is_empty())
    {
        return Err(malformed);
    }
    Ok(keys
        .into_iter()
        .map(|(id, secret)| (id, Secret::new(secret)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, text: &'static str) -> Result<Settings, SettingsError> {
        Settings::read(|asked| match asked {
            asked if asked == name => Some(text.to_owned()),
            name::JWKS_URL => Some("https://auth.example/jwks".into()),
            name::BACKEND_URL => Some("https://api.example/".into()),
            name::TOKEN_ISSUER => Some("https://auth.example".into()),
            name::BACKEND_KEY_ID => Some("edge".into()),
            name::BACKEND_HMAC_SECRET => Some("hush-hush".into()),
            _ => None,
        })
    }

    #[test]
    fn a_wrong_binding_is_named_and_its_value_is_not() {
        for (name, text) in [
            (name::JWKS_URL, "auth.example"),
            (name::RATE_VAU_PER_MINUTE, "0"),
            (name::FLUSH_INTERVAL_MS, "fast"),
            (name::EMISSION_CAP, "1.5"),
            (name::RATE_BATCH_PER_MINUTE, "-1"),
            (name::FREE_TIER, "maybe"),
            (name::OPERATOR_TOKEN, "s3cret"),
            (name::INTEGRATOR_KEYS, r#"["s3cret"]"#),
            (name::INTEGRATOR_KEYS, r#"{"a":""}"#),
        ] {
            let error = with(name, text).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        assert_eq!(
            with(name::BACKEND_KEY_ID, ""),
            Err(SettingsError::Missing(name::BACKEND_KEY_ID))
        );
    }

    #[test]
    fn printing_the_settings_does_not_print_a_secret() {
        let settings = with(name::INTEGRATOR_KEYS, r#"{"a":"s3cret"}"#).unwrap();
        assert_eq!(settings.backend_url, "https://api.example");
        let printed = format!("{settings:?}");
        assert!(!printed.contains("s3cret") && !printed.contains("hush-hush"));
    }
}
