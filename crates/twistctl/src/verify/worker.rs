//! `--worker`: a script that is deployed at Cloudflare, as its API hands it out, or a dump of it.
//!
//! Proves that Cloudflare keeps the manifest's bytes under that name. That it runs them is Cloudflare's word.

use crate::artifact::walk;
use crate::commands;
use crate::edge::api::{Api, Token};
use crate::edge::bundle::{Bundle, Parting};
use crate::edge::multipart;
use crate::verify::input::named;
use crate::verify::{BadInput, Context, Leg, Row};
use attest::{Artifact, Difference, Kind, Node, Offset, Verdict};
use reqwest::Url;
use std::env;
use std::path::{Path, PathBuf};

const LEG: &str = "worker";
/// A script and its modules.
const MOST_BYTES: u64 = 64 << 20;
/// Before a script's name in an artifact's.
const PREFIX: &str = "edge-";

/// Where a script is, and the artifact that it should be.
#[derive(Debug)]
pub struct Worker {
    artifact: Artifact,
    place: Place,
    given: String,
}

#[derive(Debug)]
enum Place {
    /// Below `…/accounts/<account>/workers/scripts/<script>`.
    Api {
        base: String,
        account: String,
        script: String,
        version: Option<String>,
    },
    Path(PathBuf),
}

/// What was found instead of modules.
enum Trouble {
    Absent(String),
    Other(String),
    Strange(Parting),
}

impl Worker {
    /// From `[NAME=]URL` or `[NAME=]PATH`.
    pub fn new(given: &str, context: &Context) -> Result<Self, BadInput> {
        let (name, place) = named(given);
        let subject = place.to_owned();
        let place = if place.starts_with("http://") || place.starts_with("https://") {
            address(place).map_err(|why| BadInput::new(format!("--worker: {why}")))?
        } else {
            Place::Path(PathBuf::from(place))
        };
        let artifact = match name {
            Some(name) => context.named(name, &[Kind::Worker])?,
            None => guess(context, place.name()).ok_or_else(|| {
                BadInput::new(format!(
                    "--worker {subject}: no worker of the manifest has this name; say which one it is, as in edge-vau-processor={subject}"
                ))
            })?,
        };
        Ok(Self {
            artifact: artifact.clone(),
            place,
            given: subject,
        })
    }
}

impl Leg for Worker {
    fn check(&self, context: &Context) -> Vec<Row> {
        let row = Row::new(LEG, &self.artifact, &self.given);
        let row = match self.place.read() {
            Ok(node) => {
                let row = context.compare(&self.artifact, &node, Path::new(&self.given), row);
                if matches!(self.place, Place::Api { .. }) && row.verdict == Verdict::Match {
                    row.note("this is what Cloudflare's API hands out as the script")
                } else {
                    row
                }
            }
            Err(Trouble::Absent(what)) => row.missing(what),
            Err(Trouble::Other(why)) => row.not_checked(why),
            Err(Trouble::Strange(parting)) => row.verdict(Verdict::Differs(Difference {
                file: None,
                offset: Offset::Unknown,
                expected: "the modules of the manifest".to_owned(),
                actual: "others".to_owned(),
                detail: parting.0,
            })),
        };
        vec![row]
    }
}

impl Place {
    /// The name that says which script it is.
    fn name(&self) -> &str {
        match self {
            Self::Api { script, .. } => script,
            Self::Path(path) => path
                .file_stem()
                .and_then(|name| name.to_str())
                .unwrap_or_default(),
        }
    }

    fn read(&self) -> Result<Node, Trouble> {
        match self {
            Self::Api {
                base,
                account,
                script,
                version,
            } => fetch(base, account, script, version.as_deref()),
            Self::Path(path) => dump(path),
        }
    }
}

fn fetch(base: &str, account: &str, script: &str, version: Option<&str>) -> Result<Node, Trouble> {
    let other = |why: String| Trouble::Other(why);
    let token = env::var("CLOUDFLARE_API_TOKEN").map_err(|_| {
        other(
            "CLOUDFLARE_API_TOKEN is not set: the script cannot be read without a token".to_owned(),
        )
    })?;
    let api =
        Api::new(base, account, Token::new(token)).map_err(|error| other(error.to_string()))?;
    let runtime = commands::runtime().map_err(|error| other(error.to_string()))?;
    match runtime.block_on(api.content(script, version)) {
        Ok(content) => Bundle::of_content(content)
            .map(Bundle::into_node)
            .map_err(Trouble::Strange),
        Err(error) if error.is_no_script() => Err(Trouble::Absent(error.to_string())),
        Err(error) => Err(other(error.to_string())),
    }
}

/// A folder with the modules, or the body that the API answered with.
fn dump(path: &Path) -> Result<Node, Trouble> {
    if !path.exists() {
        return Err(Trouble::Absent(format!("{} is not there", path.display())));
    }
    let unread = |error: crate::CtlError| Trouble::Other(error.to_string());
    if path.is_dir() {
        return walk::read_within(path, MOST_BYTES)
            .map(without_modes)
            .map_err(unread);
    }
    let bytes = walk::read_file(path, MOST_BYTES).map_err(unread)?;
    let parts = multipart::parse_dump(&bytes).map_err(|why| {
        Trouble::Other(format!(
            "{} is no script that was read back: {why}",
            path.display()
        ))
    })?;
    Bundle::of_parts(parts)
        .map(Bundle::into_node)
        .map_err(Trouble::Strange)
}

/// A module has no permissions; those of a file that was made of it mean nothing.
fn without_modes(node: Node) -> Node {
    match node {
        Node::File { contents, .. } => Node::File {
            executable: false,
            contents,
        },
        Node::Folder(entries) => Node::Folder(
            entries
                .into_iter()
                .map(|(name, node)| (name, without_modes(node)))
                .collect(),
        ),
        link @ Node::Link { .. } => link,
    }
}

/// Taken apart at `accounts/<account>/workers/scripts/<script>`; what follows may be `content/v2` and `?version=`.
fn address(text: &str) -> Result<Place, String> {
    const FORM: &str = "…/accounts/<account>/workers/scripts/<script>[/content/v2][?version=<id>]";
    let wrong = || format!("{text:?} is not {FORM}");
    let url = Url::parse(text).map_err(|_| wrong())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a password in it is not taken".to_owned());
    }
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/content/v2").unwrap_or(path);
    let (below, script) = path.rsplit_once("/workers/scripts/").ok_or_else(wrong)?;
    let (prefix, account) = below.rsplit_once("/accounts/").ok_or_else(wrong)?;
    if script.is_empty() || script.contains('/') || account.contains('/') {
        return Err(wrong());
    }
    let mut version = None;
    for (name, value) in url.query_pairs() {
        if name == "version" {
            version = Some(value.into_owned());
        } else {
            return Err(wrong());
        }
    }
    let (account, script) = (account.to_owned(), script.to_owned());
    let mut base = url.clone();
    base.set_path(prefix);
    base.set_query(None);
    base.set_fragment(None);
    Ok(Place::Api {
        base: base.to_string(),
        account,
        script,
        version,
    })
}

/// The worker of the manifest that is called so, alone or with an environment after it.
fn guess<'a>(context: &'a Context, name: &str) -> Option<&'a Artifact> {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    let is = |artifact: &&Artifact| {
        let own = artifact.name.as_str();
        let rest = name.strip_prefix(own.strip_prefix(PREFIX).unwrap_or(own));
        artifact.kind == Kind::Worker
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    context.manifest.artifacts().iter().find(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_api_is_taken_apart() {
        let of = |text: &str| match address(text) {
            Ok(Place::Api {
                base,
                account,
                script,
                version,
            }) => format!("{base} {account} {script} {version:?}"),
            other => panic!("{other:?}"),
        };
        let api = "https://api.cloudflare.com/client/v4";
        let script = format!("{api}/accounts/a1/workers/scripts/vau-processor-staging");
        assert_eq!(of(&script), format!("{api} a1 vau-processor-staging None"));
        assert_eq!(
            of(&format!("{script}/content/v2?version=v-1")),
            format!("{api} a1 vau-processor-staging Some(\"v-1\")")
        );
        for bad in [
            "https://api.example.org/",
            "https://h/accounts/a/workers/scripts/",
            "https://h/accounts/a/workers/scripts/b/settings",
            "https://u:p@h/accounts/a/workers/scripts/b",
            "https://h/accounts/a/workers/scripts/b?x=1",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
