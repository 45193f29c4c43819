//! Whether a dependency applies to what is compiled: `cfg(…)` conditions.

use crate::sbom::SbomError;
use attest::System;

/// Workers.
pub(crate) const WASM_TRIPLE: &str = "wasm32-unknown-unknown";
/// Programs.
pub(crate) const fn triple(system: System) -> &'static str {
    match system {
        System::X8664Linux => "x86_64-unknown-linux-gnu",
        System::Aarch64Linux => "aarch64-unknown-linux-gnu",
    }
}

/// What a crate is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Platform {
    X86,
    Arm,
    Wasm,
}

impl From<System> for Platform {
    fn from(system: System) -> Self {
        match system {
            System::X8664Linux => Self::X86,
            System::Aarch64Linux => Self::Arm,
        }
    }
}

impl Platform {
    /// Whether a dependency with this target applies.
    pub(super) fn fits(self, target: &str) -> Result<bool, SbomError> {
        let Some(condition) = target
            .strip_prefix("cfg(")
            .and_then(|t| t.strip_suffix(')'))
        else {
            return Ok(target == self.triple());
        };
        let mut reader = Reader(condition);
        let fits = reader.condition(self);
        match fits {
            Some(fits) if reader.rest().is_empty() => Ok(fits),
            _ => Err(SbomError::Condition(target.to_owned())),
        }
    }

    const fn triple(self) -> &'static str {
        match self {
            Self::X86 => triple(System::X8664Linux),
            Self::Arm => triple(System::Aarch64Linux),
            Self::Wasm => WASM_TRIPLE,
        }
    }

    /// `unix`, `windows`, and names that only `--cfg` sets, which nobody does here.
    fn is(self, name: &str) -> bool {
        match name {
            "unix" => self != Self::Wasm,
            "true" | "panic_unwind" => true,
            _ => false,
        }
    }

    fn has(self, key: &str, value: &str) -> bool {
        let wasm = self == Self::Wasm;
        match key {
            "target_arch" => value == self.triple().split('-').next().unwrap_or_default(),
            "target_os" => value == if wasm { "unknown" } else { "linux" },
            "target_family" => value == if wasm { "wasm" } else { "unix" },
            "target_env" => value == if wasm { "" } else { "gnu" },
            "target_vendor" => value == "unknown",
            "target_endian" => value == "little",
            "target_pointer_width" => value == if wasm { "32" } else { "64" },
            "target_has_atomic" => matches!(value, "8" | "16" | "32" | "64" | "ptr"),
            _ => false,
        }
    }
}

/// Reads a condition from the front of a text.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.0.trim()
    }

    fn condition(&mut self, platform: Platform) -> Option<bool> {
        let name = self.name()?;
        if self.take("(") {
            let answers = self.list(platform)?;
            return match name {
                "all" => Some(answers.iter().all(|fits| *fits)),
                "any" => Some(answers.iter().any(|fits| *fits)),
                "not" => match answers.as_slice() {
                    [fits] => Some(!fits),
                    _ => None,
                },
                _ => None,
            };
        }
        if self.take("=") {
            return Some(platform.has(name, self.text()?));
        }
        Some(platform.is(name))
    }

    fn list(&mut self, platform: Platform) -> Option<Vec<bool>> {
        let mut answers = Vec::new();
        while !self.take(")") {
            answers.push(self.condition(platform)?);
            if !self.take(",") && !self.rest().starts_with(')') {
                return None;
            }
        }
        Some(answers)
    }

    fn name(&mut self) -> Option<&'a str> {
        let text = self.rest();
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        self.0 = rest;
        (!name.is_empty()).then_some(name)
    }

    fn text(&mut self) -> Option<&'a str> {
        let (text, rest) = self.rest().strip_prefix('"')?.split_once('"')?;
        self.0 = rest;
        Some(text)
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest().strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_true_where_it_is_meant_to_be() {
        let cases = [
            ("cfg(unix)", [true, true, false]),
            ("cfg(not(windows))", [true, true, true]),
            ("cfg(target_arch = \"wasm32\")", [false, false, true]),
            (
                "cfg(all(target_arch=\"aarch64\", target_os = \"linux\"))",
                [false, true, false],
            ),
            (
                "cfg(all(any(unix, target_os=\"wasi\"), not(target_os=\"macos\"),))",
                [true, true, false],
            ),
            (
                "cfg(all(target_arch = \"wasm32\", any(target_os = \"unknown\", target_os = \"none\")))",
                [false, false, true],
            ),
            ("cfg(any())", [false, false, false]),
            ("cfg(all())", [true, true, true]),
            ("cfg(tokio_unstable)", [false, false, false]),
            ("cfg(target_family = \"wasm\")", [false, false, true]),
            ("x86_64-unknown-linux-gnu", [true, false, false]),
            ("x86_64-pc-windows-msvc", [false, false, false]),
        ];
        for (target, expected) in cases {
            let got =
                [Platform::X86, Platform::Arm, Platform::Wasm].map(|p| p.fits(target).unwrap());
            assert_eq!(got, expected, "{target}");
        }
    }

    #[test]
    fn a_condition_that_cannot_be_read_is_not_taken_for_false() {
        for target in [
            "cfg()",
            "cfg(all(unix)",
            "cfg(not(unix, windows))",
            "cfg(unix windows)",
            "cfg(some(unix))",
            "cfg(a = b)",
        ] {
            Platform::X86.fits(target).unwrap_err();
        }
    }
}
