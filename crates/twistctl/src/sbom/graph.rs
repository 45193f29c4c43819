//! What the artifacts contain, and what was run to make them.

use crate::sbom::SbomError;
use crate::sbom::metadata::{Metadata, Node, Package};
use crate::sbom::platform::Platform;
use attest::System;
use std::collections::{BTreeMap, BTreeSet};

/// The crates of a set of artifacts.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    /// The artifacts' own crates, sorted.
    pub(super) roots: BTreeSet<Key<'a>>,
    /// Every crate, those of the roots included.
    pub(super) crates: BTreeMap<Key<'a>, Member<'a>>,
}

/// Tells crates apart without saying where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// None in the workspace.
    pub(super) source: Option<&'a str>,
}

/// One crate.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) package: &'a Package,
    /// What it is compiled with.
    pub(super) needs: BTreeSet<Key<'a>>,
    /// Whether it is part of an artifact; the others only run during the build.
    pub(super) shipped: bool,
}

/// How a crate was come upon. A crate can be compiled for several platforms, with other dependencies on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Visit<'a> {
    id: &'a str,
    platform: Platform,
    shipped: bool,
}

/// Follows normal and build dependencies from the roots; those of tests are left out.
pub(super) fn collect<'a>(
    metadata: &'a Metadata,
    roots: &[String],
    system: System,
) -> Result<Graph<'a>, SbomError> {
    let walk = Walk {
        packages: metadata.packages(),
        nodes: metadata.nodes(),
        host: system.into(),
    };
    let roots = walk.roots(metadata, roots)?;
    let mut graph = Graph {
        roots: roots.iter().map(|root| Key::of(root)).collect(),
        crates: BTreeMap::new(),
    };
    let mut open: Vec<Visit<'_>> = roots
        .iter()
        .map(|root| Visit {
            id: &root.id,
            platform: if root.has("cdylib") {
                Platform::Wasm
            } else {
                walk.host
            },
            shipped: true,
        })
        .collect();
    let mut seen: BTreeSet<Visit<'_>> = open.iter().copied().collect();
    while let Some(visit) = open.pop() {
        let next = walk.follow(visit)?;
        let package = walk.package(visit.id)?;
        let member = graph.crates.entry(Key::of(package)).or_insert(Member {
            package,
            needs: BTreeSet::new(),
            shipped: false,
        });
        member.shipped |= visit.shipped;
        for further in next {
            member.needs.insert(Key::of(walk.package(further.id)?));
            if seen.insert(further) {
                open.push(further);
            }
        }
    }
    Ok(graph)
}

struct Walk<'a> {
    packages: BTreeMap<&'a str, &'a Package>,
    nodes: BTreeMap<&'a str, &'a Node>,
    host: Platform,
}

impl<'a> Walk<'a> {
    /// The named crates of the workspace; without names, those that become artifacts.
    fn roots(
        &self,
        metadata: &'a Metadata,
        names: &[String],
    ) -> Result<Vec<&'a Package>, SbomError> {
        let mut members = Vec::new();
        for id in &metadata.workspace_members {
            members.push(self.package(id)?);
        }
        if names.is_empty() {
            members.retain(|package| is_artifact(package));
            return Ok(members);
        }
        let find = |name: &String| {
            let found = members.iter().find(|package| package.name == *name);
            found
                .copied()
                .ok_or_else(|| SbomError::NoSuchRoot(name.clone()))
        };
        names.iter().map(find).collect()
    }

    fn follow(&self, from: Visit<'a>) -> Result<Vec<Visit<'a>>, SbomError> {
        let node = self
            .nodes
            .get(from.id)
            .ok_or_else(|| SbomError::Incomplete(from.id.to_owned()))?;
        let mut next = Vec::new();
        for dependency in &node.deps {
            let macros = self.package(&dependency.pkg)?.has("proc-macro");
            for kind in &dependency.dep_kinds {
                // The build script of a crate runs where the build does, as macros do.
                let here = match kind.kind.as_deref() {
                    None => !macros,
                    Some("build") => false,
                    Some(_) => continue,
                };
                // The condition of a build dependency too is about what the crate is compiled for.
                if let Some(target) = &kind.target
                    && !from.platform.fits(target)?
                {
                    continue;
                }
                next.push(Visit {
                    id: &dependency.pkg,
                    platform: if here { from.platform } else { self.host },
                    shipped: from.shipped && here,
                });
            }
        }
        Ok(next)
    }

    fn package(&self, id: &str) -> Result<&'a Package, SbomError> {
        let found = self.packages.get(id).copied();
        found.ok_or_else(|| SbomError::Incomplete(id.to_owned()))
    }
}

/// Services, tools and Workers, but for what only builds: the bundler.
fn is_artifact(package: &Package) -> bool {
    package.name != "edge-bundler" && (package.binaries().next().is_some() || package.has("cdylib"))
}

impl<'a> Key<'a> {
    fn of(package: &'a Package) -> Self {
        Self {
            name: &package.name,
            version: &package.version,
            source: package.source.as_deref(),
        }
    }
}
