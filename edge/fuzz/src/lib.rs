//! Fuzzers of what the edge reads from outside: a function for each reader of `edge-core`, which must neither panic
//! nor break the property that its comment names, whatever the bytes.
//!
//! The tests below run each over its corpus and a few thousand made-up inputs. Beside that, `twistctl test fuzz` runs
//! libFuzzer with the compiler's coverage counters; see `edge/fuzz/README.md`.

mod attestation;
mod audit;
mod cohorts;
mod firewall;
mod headers;
mod objects;
mod parts;
mod requests;
mod settings;
mod tokens;

#[cfg(test)]
mod tests;

/// A reader under test.
#[derive(Debug)]
pub struct Target {
    /// Its name, and its corpus's folder.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Every reader.
pub const TARGETS: &[Target] = &[
    target("assertion", attestation::assertion),
    target("audit-append", audit::append),
    target("audit-log", audit::log),
    target("audit-words", audit::words),
    target("batch", requests::batch),
    target("challenge", headers::challenge),
    target("cohorts", cohorts::criteria),
    target("credential-key", attestation::key),
    target("filter", cohorts::filter),
    target("firewall", firewall::inspect),
    target("head", headers::head),
    target("integrator", headers::integrator),
    target("journal", objects::journal),
    target("jwks", tokens::jwks),
    target("messages", objects::messages),
    target("registration", attestation::registration),
    target("request", requests::request),
    target("settings", settings::read),
    target("token", tokens::token),
];

/// The target with this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
