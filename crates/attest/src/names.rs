//! Names that can only be spelled one way and can only lead where they should.

use std::fmt;

/// A text that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: it must be {rule}")]
pub struct InvalidName {
    what: &'static str,
    text: String,
    rule: &'static str,
}

impl InvalidName {
    pub(crate) fn new(what: &'static str, text: &str, rule: &'static str) -> Self {
        // A hostile manifest must not fill the terminal.
        let text = text.chars().take(100).collect();
        Self { what, text, rule }
    }
}

/// Serde, `FromStr` and JSON Schema of a type that has `Display` and `TryFrom<&str>`.
macro_rules! string_form {
    ($type:ident, $pattern:literal) => {
        impl std::str::FromStr for $type {
            type Err = $crate::names::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::try_from(text.as_str()).map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}
pub(crate) use string_form;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $rule:literal, $pattern:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = InvalidName;

            fn try_from(text: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName::new($what, text, $rule))
                }
            }
        }

        string_form!($type, $pattern);
    };
}

name!(
    /// An artifact's name, the same as the flake's attribute: `auth-service`.
    ArtifactName,
    "artifact name",
    "1 to 64 of a-z, 0-9 and -, starting with a letter",
    "^[a-z][a-z0-9-]{0,63}$",
    |text| {
        text.len() <= 64
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    }
);

name!(
    /// A path inside an artifact, with `/` between its parts: `bin/auth-service`.
    RelativePath,
    "path inside an artifact",
    "parts joined by /, none of them empty, . or .., of printable ASCII without backslashes",
    r"^(?!\.{1,2}(/|$))[ -.0-\[\]-~]+(/(?!\.{1,2}(/|$))[ -.0-\[\]-~]+)*$",
    |text| {
        text.len() <= 1024
            && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
            // Other characters can look like these, or turn a line around on a terminal.
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\')
    }
);

name!(
    /// A git commit.
    Revision,
    "git revision",
    "40 lower-case hexadecimal digits",
    "^[0-9a-f]{40}$",
    |text| text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
);

name!(
    /// A path directly in the Nix store: `/nix/store/<hash>-<name>`.
    StorePath,
    "store path",
    "/nix/store/, 32 characters of Nix' alphabet, - and a name",
    "^/nix/store/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]+$",
    is_store_path
);

fn is_store_path(text: &str) -> bool {
    let Some((hash, name)) = text
        .strip_prefix("/nix/store/")
        .and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    let of_hash =
        |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'd' | b'f'..=b'n' | b'p'..=b's' | b'v'..=b'z');
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._?=".contains(&byte);
    hash.len() == 32
        && hash.bytes().all(of_hash)
        && (1..=211).contains(&name.len())
        && name.bytes().all(of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_artifact_or_the_terminal() {
        for good in [
            "index.js",
            "bin/auth-service",
            "a..b/.hidden",
            "with space",
            "~[x]",
        ] {
            assert!(RelativePath::try_from(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/..",
            "a/../b",
            ".",
            "./a",
            "a/./b",
            "a//b",
            "a/",
            "a\\b",
            "a\0b",
            "a\nb",
            "\u{1b}[2Jx",
            "\u{9b}x",
            "ü",
            "\u{202e}x",
        ] {
            assert!(RelativePath::try_from(bad).is_err(), "{bad:?}");
        }
        assert!(RelativePath::try_from("x".repeat(1025).as_str()).is_err());
    }

    #[test]
    fn names_revisions_and_store_paths_have_one_form() {
        assert!(ArtifactName::try_from("edge-vau-processor").is_ok());
        for bad in ["", "-a", "1a", "A", "a_b", "a b", "a/b", &"a".repeat(65)] {
            assert!(ArtifactName::try_from(bad).is_err(), "{bad:?}");
        }
        assert!(Revision::try_from("0123456789012345678901234567890123456789").is_ok());
        assert!(Revision::try_from("0123456789012345678901234567890123456789-dirty").is_err());
        let hash = "0lq27aw82xlpndx1ld5i4szq598a9zjc";
        assert!(
            StorePath::try_from(format!("/nix/store/{hash}-auth-service-0.1.0").as_str()).is_ok()
        );
        for bad in [
            format!("/nix/store/{hash}"),
            format!("/nix/store/{hash}-x/../y"),
            format!("/nix/store/{}-x", &hash[1..]),
            format!("/nix/store/{}-x", hash.replace('0', "e")),
            format!("/gnu/store/{hash}-x"),
        ] {
            assert!(StorePath::try_from(bad.as_str()).is_err(), "{bad:?}");
        }
    }
}
