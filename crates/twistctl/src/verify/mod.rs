//! `verify`: artifacts, images and running services against a release manifest.
//!
//! Every question is a [`Leg`]: `--dist`, `--service`, `--oci`, `--worker`, `--stack`, `--rebuild`. A leg turns what it was
//! pointed at into rows, one for each thing that was to be compared, and a row says "match" only where every
//! byte, or the hash that a service states of itself, was compared. Another kind of question is another file
//! beside [`dist`] and one line in [`legs`].

mod context;
mod diffoscope;
mod http;
mod input;
mod leg;
mod outcome;
mod report;
mod row;
mod signature;
mod statements;

pub mod dist;
pub mod image;
pub mod rebuild;
pub mod service;
pub mod stack;
pub mod worker;

pub use context::Context;
pub use input::BadInput;
pub use leg::Leg;
pub use outcome::Outcome;
pub use report::Report;
pub use row::{Evidence, Row};
pub use signature::{SignatureReport, Status};

use std::path::PathBuf;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The manifest.
    pub manifest: PathBuf,
    /// Its signature; without one, `<manifest>.sig` if that is there.
    pub signature: Option<PathBuf>,
    /// Public keys; without any, those that the checkout has in `keys/release`.
    pub keys: Vec<PathBuf>,
    /// Release folders.
    pub dist: Vec<PathBuf>,
    /// Running services: `URL` or `NAME=URL`.
    pub services: Vec<String>,
    /// Image archives and layouts: `PATH` or `NAME=PATH`.
    pub images: Vec<String>,
    /// Deployed scripts: `URL`, `PATH`, or either after `NAME=`.
    pub workers: Vec<String>,
    /// The platform of `up` on this machine.
    pub stack: bool,
    /// Build again.
    pub rebuild: bool,
    /// Only these artifacts; all, if none is named.
    pub artifacts: Vec<String>,
    /// A folder with good copies, to tell the exact byte of a difference.
    pub reference: Option<PathBuf>,
    /// Show what diffoscope says of a difference.
    pub diffoscope: bool,
}

/// Answers it. What is wrong with the question itself is in the report as well.
pub fn run(request: &Request) -> Report {
    let mut report = Report::default();
    if let Err(error) = fill(request, &mut report) {
        report.fail(&error.to_string());
    }
    report
}

fn fill(request: &Request, report: &mut Report) -> Result<(), BadInput> {
    let (bytes, manifest) = input::manifest(&request.manifest)?;
    report.manifest = Some(report::Summary::of(&bytes, &manifest));
    let named =
        request.dist.len() + request.images.len() + request.services.len() + request.workers.len();
    let compares = named > 0 || request.stack || request.rebuild;
    if let Some(option) = how(request).filter(|_| !compares) {
        return Err(BadInput::without_question(option));
    }
    let signature = signature::check(request, &bytes)?;
    let (demanded, wrong) = (
        signature.demanded,
        signature.outcome() == Outcome::BadSignature,
    );
    let valid = signature.signature;
    report.signature = Some(signature);
    if wrong {
        // Whatever else it says is not worth a look.
        return Ok(());
    }
    // A signature that happens to lie there is no question.
    if !compares && !demanded {
        return Err(BadInput::nothing_asked());
    }
    let context = Context::new(request, bytes, manifest, valid)?;
    let legs = legs(request, &context)?;
    for leg in legs {
        report.rows.extend(leg.check(&context));
    }
    if request.diffoscope {
        diffoscope::explain(&mut report.rows);
    }
    Ok(())
}

/// An option that was given and says how to compare, not what.
fn how(request: &Request) -> Option<&'static str> {
    let given = [
        (!request.artifacts.is_empty(), "--artifact"),
        (request.reference.is_some(), "--reference"),
        (request.diffoscope, "--diffoscope"),
    ];
    given
        .into_iter()
        .find_map(|(given, name)| given.then_some(name))
}

/// The questions, in the order of the table.
fn legs(request: &Request, context: &Context) -> Result<Vec<Box<dyn Leg>>, BadInput> {
    let mut legs: Vec<Box<dyn Leg>> = Vec::new();
    for folder in &request.dist {
        legs.push(Box::new(dist::Dist::new(folder)));
    }
    for given in &request.images {
        legs.push(Box::new(image::ImageFile::new(given, context)?));
    }
    for given in &request.services {
        legs.push(Box::new(service::Service::new(given, context)?));
    }
    for given in &request.workers {
        legs.push(Box::new(worker::Worker::new(given, context)?));
    }
    if request.stack {
        legs.push(Box::new(stack::Stack));
    }
    if request.rebuild {
        legs.push(Box::new(rebuild::Rebuild));
    }
    Ok(legs)
}
