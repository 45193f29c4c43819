//! `--service`: what a running service says of itself at `/version`.
//!
//! Proves that the service states the hash of the manifest's program; a service that was made to lie can state
//! any. `--stack` reads the program that runs, on the machine where it runs.

use crate::verify::input::named;
use crate::verify::{BadInput, Context, Evidence, Leg, Row, http};
use attest::{
    Artifact, ArtifactName, Difference, Entry, Kind, Offset, Revision, Sha256, StorePath, Verdict,
};
use reqwest::Url;
use serde::Deserialize;

const LEG: &str = "service";

/// An address, and the service that is expected there.
#[derive(Debug)]
pub struct Service {
    url: Url,
    given: String,
    expected: Option<String>,
}

impl Service {
    /// From `URL` or `NAME=URL`.
    pub fn new(given: &str, context: &Context) -> Result<Self, BadInput> {
        let (name, address) = named(given);
        if let Some(name) = name {
            context.named(name, &[Kind::Service])?;
        }
        Ok(Self {
            url: http::base(address).map_err(|why| BadInput::new(format!("--service: {why}")))?,
            given: address.to_owned(),
            expected: name.map(str::to_owned),
        })
    }
}

impl Leg for Service {
    fn check(&self, context: &Context) -> Vec<Row> {
        vec![ask(
            LEG,
            context,
            &self.url,
            &self.given,
            self.expected.as_deref(),
        )]
    }
}

/// The answer of `GET /version`. Later versions may add members.
#[derive(Debug, Deserialize)]
struct Reported {
    service: ArtifactName,
    version: String,
    #[serde(deserialize_with = "Option::deserialize")]
    revision: Option<Revision>,
    binary: Binary,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binary {
    sha256: Sha256,
    size: u64,
    // Null must be said: serde takes a member that is left out for null otherwise.
    #[serde(deserialize_with = "Option::deserialize")]
    store_path: Option<StorePath>,
}

/// Asks the service at `url`, shown as `subject`.
pub(crate) fn ask(
    leg: &'static str,
    context: &Context,
    url: &Url,
    subject: &str,
    expected: Option<&str>,
) -> Row {
    let mut row = Row::of_none(leg, subject).evidence(Evidence::Reported);
    row.artifact = expected.map(str::to_owned);
    let body = match http::get(url, "/version") {
        Ok(body) => body,
        Err(why) => return row.not_checked(format!("{subject}/version: {why}")),
    };
    let reported: Reported = match serde_json::from_slice(&body) {
        Ok(reported) => reported,
        Err(error) => {
            return row.not_checked(format!(
                "{subject}/version: the answer is not that of a service of TWIST ({error})"
            ));
        }
    };
    let name = reported.service.as_str();
    if let Some(expected) = expected.filter(|expected| *expected != name) {
        return row.verdict(differs("service", expected, name, "it is another service"));
    }
    row.artifact = Some(name.to_owned());
    match context.manifest.artifact(name) {
        Some(artifact) if artifact.kind == Kind::Service => {
            row.verdict(judge(context, artifact, &reported))
        }
        _ => row.verdict(differs(
            "service",
            "a service of the manifest",
            name,
            "the manifest names no such service",
        )),
    }
}

/// Every statement that the manifest has an opinion on.
fn judge(context: &Context, artifact: &Artifact, reported: &Reported) -> Verdict {
    let name = artifact.name.as_str();
    let file = format!("bin/{name}");
    let Some(Entry::File { sha256, size, .. }) = artifact.entry(&file) else {
        return Verdict::NotChecked(format!("the manifest has no file {file} of {name}"));
    };
    let draft = context.manifest.draft();
    let binary = &reported.binary;
    let clean = draft
        .source
        .revision
        .as_ref()
        .filter(|_| !draft.source.dirty);
    let pairs = [
        Some(("sha256", sha256.to_string(), binary.sha256.to_string())),
        Some(("size", size.to_string(), binary.size.to_string())),
        Some(("version", draft.version.clone(), reported.version.clone())),
        both(
            "storePath",
            artifact.store_path.as_ref(),
            binary.store_path.as_ref(),
        ),
        both("revision", clean, reported.revision.as_ref()),
    ];
    for (what, expected, actual) in pairs.into_iter().flatten() {
        if expected != actual {
            let detail = if what == "sha256" {
                "it runs another program"
            } else {
                "the program's hash is the manifest's, and the rest of the answer contradicts it"
            };
            let what = if what == "sha256" { &file } else { what };
            return differs(what, &expected, &actual, detail);
        }
    }
    Verdict::Match
}

/// Only what both sides state can be compared.
fn both<T: ToString>(
    what: &'static str,
    expected: Option<&T>,
    actual: Option<&T>,
) -> Option<(&'static str, String, String)> {
    Some((what, expected?.to_string(), actual?.to_string()))
}

fn differs(what: &str, expected: &str, actual: &str, why: &str) -> Verdict {
    Verdict::Differs(Difference {
        file: Some(what.to_owned()),
        offset: Offset::Unknown,
        expected: expected.to_owned(),
        actual: actual.to_owned(),
        detail: format!("{why}: {what} is {actual}, {expected} expected"),
    })
}
