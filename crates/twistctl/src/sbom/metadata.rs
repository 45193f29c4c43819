//! The parts of `cargo metadata` that matter here.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    pub(super) workspace_members: Vec<String>,
    pub(super) resolve: Resolve,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    /// `registry+https://…`, `git+https://…`; none for crates of the workspace.
    pub(super) source: Option<String>,
    pub(super) license: Option<String>,
    pub(super) targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resolve {
    pub(super) nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) deps: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dependency {
    pub(super) pkg: String,
    pub(super) dep_kinds: Vec<DependencyKind>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DependencyKind {
    /// None, `build` or `dev`.
    pub(super) kind: Option<String>,
    /// `cfg(…)` or a triple.
    pub(super) target: Option<String>,
}

impl Metadata {
    pub(super) fn packages(&self) -> BTreeMap<&str, &Package> {
        let by_id = self
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package));
        by_id.collect()
    }

    pub(super) fn nodes(&self) -> BTreeMap<&str, &Node> {
        self.resolve
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node))
            .collect()
    }
}

impl Package {
    pub(super) fn has(&self, kind: &str) -> bool {
        self.targets
            .iter()
            .any(|target| target.kind.iter().any(|k| k == kind))
    }

    pub(super) fn binaries(&self) -> impl Iterator<Item = &str> {
        let programs = self
            .targets
            .iter()
            .filter(|target| target.kind.iter().any(|k| k == "bin"));
        programs.map(|target| target.name.as_str())
    }
}
