//! A release folder from this checkout, by the tools of this machine.

use crate::artifact::assemble::{self, Plan, Planned};
use crate::build::folder::{MANIFEST, Staging};
use crate::build::release::{self, PROGRAMS, Program};
use crate::build::remap::use_rustc;
use crate::build::{bundle, cargo_config, environment, host, source, toolchain};
use crate::ui::Step;
use crate::{CtlError, Paths, sbom, tools};
use attest::{ArtifactName, Builder, Kind};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// How the programs are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As they are released.
    Release,
    /// As `up` and the tests compile them: quick, large, and full of paths.
    Dev,
}

/// The modules of a Worker.
pub(crate) const BUNDLE: [&str; 2] = ["index.js", "index_bg.wasm"];
/// The artifacts that the bundles are, in the order in which a request passes them.
pub(crate) const WORKERS: [&str; 2] = ["edge-security-worker", "edge-vau-processor"];
/// The bill of materials within its artifact.
pub(crate) const SBOM: &str = "twist.cdx.json";

/// Builds everything into `out`, which may hold an earlier build; returns its absolute path.
pub fn make(paths: &Paths, out: &Path, profile: Profile) -> Result<PathBuf, CtlError> {
    Staging::check(out)?;
    cargo_config::check(paths, profile)?;
    let mut versions = toolchain::checked(paths, profile)?;
    let name = match profile {
        Profile::Release => "release",
        Profile::Dev => "dev",
    };
    versions.insert("profile".to_owned(), name.to_owned());
    let before = source::of(paths)?;
    let programs = programs(paths, profile)?;
    let bundler = Step::during("build the bundler", |step| release::bundler(paths, step))?;
    let workers = Step::during("build the Workers", |step| {
        bundle::build(paths, &bundler, step)
    })?;
    let bill = Step::during("list what is inside", |step| bill(paths, step))?;
    // What changed meanwhile may or may not be in it.
    let mut source = source::of(paths)?;
    source.dirty |= source != before;

    let staging = Staging::begin(out)?;
    for (program, file) in PROGRAMS.iter().zip(&programs) {
        let name = program.binary;
        staging.add(file, &format!("{name}/bin/{name}"), true)?;
    }
    for worker in WORKERS {
        for module in BUNDLE {
            let file = workers.join(worker).join(module);
            staging.add(&file, &format!("{worker}/{module}"), false)?;
        }
    }
    staging.write(&format!("sbom/{SBOM}"), &bill)?;
    let plan = plan(paths, staging.folder(), source, versions)?;
    let manifest = assemble::assemble(assemble::Input {
        plan,
        closure: Vec::new(),
    })?;
    let bytes = manifest
        .to_bytes()
        .map_err(|error| CtlError::Help(error.to_string()))?;
    staging.write(MANIFEST, &bytes)?;
    staging.finish()
}

fn programs(paths: &Paths, profile: Profile) -> Result<Vec<PathBuf>, CtlError> {
    if profile == Profile::Dev {
        Step::during("build the services", |step| host::build(paths, step))?;
        let folder = paths.target().join("debug");
        return Ok(PROGRAMS
            .iter()
            .map(|program| folder.join(program.binary))
            .collect());
    }
    let compile = |program: &Program| {
        Step::during(format!("build {}", program.binary), |step| {
            release::compile(paths, *program, step)
        })
    };
    PROGRAMS.iter().map(compile).collect()
}

/// The bill of materials of what was just compiled, so that cargo has everything that it asks for.
fn bill(paths: &Paths, step: &Step) -> Result<Vec<u8>, CtlError> {
    let system = sbom::this_system();
    let mut command = tools::cargo(paths);
    command.args(["metadata", "--format-version", "1", "--locked"]);
    // Of other platforms cargo has downloaded nothing yet.
    for triple in [sbom::triple(system), sbom::WASM_TRIPLE] {
        command.args(["--filter-platform", triple]);
    }
    // Which crates a platform has, cargo asks the compiler.
    use_rustc(&mut command);
    environment::clean(&mut command);
    step.detail("asking cargo");
    let output = command
        .output()
        .map_err(CtlError::io("run", Path::new("cargo")))?;
    if !output.status.success() {
        return Err(CtlError::Tool {
            what: "cargo metadata".into(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    let lock = read(&paths.root.join("Cargo.lock"))?;
    let mut roots: Vec<String> = PROGRAMS
        .iter()
        .map(|program| program.package.to_owned())
        .collect();
    roots.extend(bundle::CRATES.map(str::to_owned));
    Ok(sbom::make(sbom::Inputs {
        metadata: &output.stdout,
        lock: &lock,
        closure: None,
        roots: &roots,
        system,
    })?)
}

fn plan(
    paths: &Paths,
    folder: &Path,
    source: attest::Source,
    toolchain: BTreeMap<String, String>,
) -> Result<Plan, CtlError> {
    let mut names: Vec<(&str, Kind)> = PROGRAMS
        .iter()
        .map(|program| (program.binary, program.kind))
        .collect();
    names.extend(WORKERS.map(|name| (name, Kind::Worker)));
    names.push(("sbom", Kind::Sbom));
    let planned = |(name, kind): (&str, Kind)| {
        Ok(Planned {
            name: ArtifactName::try_from(name)
                .map_err(|error| CtlError::Help(error.to_string()))?,
            kind,
            path: folder.join(name),
        })
    };
    Ok(Plan {
        version: version(paths)?,
        builder: Builder::Host,
        system: sbom::this_system(),
        source,
        toolchain,
        inputs: BTreeMap::new(),
        artifacts: names
            .into_iter()
            .map(planned)
            .collect::<Result<_, CtlError>>()?,
    })
}

/// The version of the workspace, which every artifact has.
fn version(paths: &Paths) -> Result<String, CtlError> {
    #[derive(Deserialize)]
    struct File {
        workspace: Workspace,
    }
    #[derive(Deserialize)]
    struct Workspace {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        version: String,
    }
    let text = read(&paths.root.join("Cargo.toml"))?;
    let file: File = toml::from_str(&text)
        .map_err(|error| CtlError::Help(format!("Cargo.toml cannot be read: {error}")))?;
    Ok(file.workspace.package.version)
}

fn read(path: &Path) -> Result<String, CtlError> {
    fs::read_to_string(path).map_err(CtlError::io("read", path))
}
