//! Scripts, versions, deployments.

use super::form::{self, Part};
use super::wire::{Reply, Request};
use super::{State, ok};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Refusals whose code is documented nowhere.
const NUMBERLESS: u32 = 0;

#[derive(Default, Clone)]
pub(crate) struct Script {
    pub(crate) versions: Vec<Version>,
    /// The one in force last: version and percentage.
    pub(crate) deployments: Vec<Vec<(String, u64)>>,
    pub(crate) tag: Option<String>,
    pub(crate) classes: BTreeSet<String>,
}

#[derive(Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    number: usize,
    pub(crate) modules: Vec<Part>,
    /// With the values of secrets, which nobody reads back.
    pub(crate) bindings: Vec<Value>,
    metadata: Value,
    tag: Option<String>,
}

impl Script {
    pub(crate) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// Changes one bit of what is handed out of the newest version.
    pub(crate) fn flip(&mut self, module: &str, byte: usize) {
        let version = self.versions.last_mut().unwrap();
        let mut parts = version.modules.iter_mut();
        parts.find(|part| part.name == module).unwrap().bytes[byte] ^= 1;
    }
}

pub(crate) fn route(state: &mut State, request: &Request, rest: &[&str]) -> Reply {
    match (request.method.as_str(), rest) {
        ("GET", []) => list(state),
        ("PUT", [name]) => upload(state, request, name, true),
        ("POST", [name, "versions"]) => upload(state, request, name, false),
        (method, [name, rest @ ..]) => {
            let Some(script) = state.scripts.get_mut(*name) else {
                return Reply::refused(404, 10007, "This Worker does not exist on your account.");
            };
            match (method, rest) {
                ("GET", ["versions"]) => {
                    let items: Vec<Value> =
                        script.versions.iter().rev().take(10).map(brief).collect();
                    ok(&json!({ "items": items }))
                }
                ("GET", ["versions", id]) => match script.version(id) {
                    Some(version) => ok(&detail(version)),
                    None => {
                        Reply::refused(404, NUMBERLESS, "The requested version does not exist.")
                    }
                },
                ("GET", ["deployments"]) => deployments(script),
                ("POST", ["deployments"]) => deploy(script, &request.json()),
                ("GET", ["content", "v2"]) => content(script, request.query("version")),
                _ => Reply::refused(404, 7000, "No route for that URI"),
            }
        }
        _ => Reply::refused(404, 7000, "No route for that URI"),
    }
}

fn list(state: &State) -> Reply {
    let scripts: Vec<Value> = state
        .scripts
        .iter()
        .map(|(name, script)| match &script.tag {
            Some(tag) => json!({ "id": name, "migration_tag": tag }),
            None => json!({ "id": name }),
        })
        .collect();
    ok(&json!(scripts))
}

fn upload(state: &mut State, request: &Request, name: &str, whole: bool) -> Reply {
    let kind = request.header("content-type").unwrap_or_default();
    let Some(mut parts) = form::read(kind, &request.body) else {
        return Reply::refused(400, 10001, "Unable to parse the multipart body.");
    };
    let Some(at) = parts.iter().position(|part| part.name == "metadata") else {
        return Reply::refused(400, 10002, "The metadata part is missing.");
    };
    let metadata: Value = serde_json::from_slice(&parts.remove(at).bytes).unwrap();
    let main = metadata["main_module"].as_str().unwrap_or_default();
    let is_module = |part: &Part| part.name == main && part.kind == "application/javascript+module";
    if !parts.iter().any(is_module) {
        return Reply::refused(400, 10021, "Uncaught Error: No such module.");
    }
    if !whole && !state.scripts.contains_key(name) {
        return Reply::refused(404, 10007, "This Worker does not exist on your account.");
    }
    if !whole && metadata.get("migrations").is_some() {
        return Reply::refused(
            400,
            10211,
            "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, but migrations must be fully applied via a non-versioned deployment.",
        );
    }
    for part in parts
        .iter_mut()
        .filter(|part| state.flips && part.kind == "application/wasm")
    {
        part.bytes[0] ^= 1;
    }
    let mut script = state.scripts.get(name).cloned().unwrap_or_default();
    if let Some(tag) = state.overtaken.take() {
        script.tag = Some(tag);
    }
    if let Err(reply) = migrate(&mut script, &metadata["migrations"]) {
        return reply;
    }
    let mut bindings = metadata["bindings"].as_array().cloned().unwrap_or_default();
    if let Err(reply) = check(state, &script, &bindings) {
        return reply;
    }
    keep(&script, &metadata["keep_bindings"], &mut bindings);
    let version = Version {
        id: state.id(),
        number: script.versions.len() + 1,
        modules: parts,
        bindings,
        tag: script.tag.clone(),
        metadata,
    };
    let answer = detail(&version);
    if whole {
        script.deployments.push(vec![(version.id.clone(), 100)]);
    }
    script.versions.push(version);
    state.scripts.insert(name.to_owned(), script);
    ok(&answer)
}

fn migrate(script: &mut Script, migrations: &Value) -> Result<(), Reply> {
    if migrations.is_null() {
        return Ok(());
    }
    if migrations["old_tag"].as_str() != script.tag.as_deref() {
        let tag = script.tag.as_deref().unwrap_or_default();
        return Err(Reply::refused(
            412,
            10079,
            &format!("Migration tag precondition failed; current tag is {tag}"),
        ));
    }
    for step in migrations["steps"].as_array().unwrap() {
        for class in step["new_sqlite_classes"].as_array().unwrap() {
            let class = class.as_str().unwrap();
            if !script.classes.insert(class.to_owned()) {
                return Err(Reply::refused(
                    400,
                    10074,
                    &format!(
                        "Cannot apply new-sqlite-class migration to class '{class}' that is already depended on by existing Durable Objects"
                    ),
                ));
            }
        }
    }
    script.tag = migrations["new_tag"].as_str().map(str::to_owned);
    Ok(())
}

/// Whatever it is bound to has to be there.
fn check(state: &State, script: &Script, bindings: &[Value]) -> Result<(), Reply> {
    for binding in bindings {
        let member = |name: &str| binding[name].as_str().unwrap_or_default();
        let there = match member("type") {
            "durable_object_namespace" => {
                let other = binding.get("script_name").and_then(Value::as_str);
                let owner = other.map_or(Some(script), |name| state.scripts.get(name));
                owner.is_some_and(|owner| owner.classes.contains(member("class_name")))
            }
            "service" => state.scripts.contains_key(member("service")),
            "queue" => state.queues.contains_key(member("queue_name")),
            "r2_bucket" => state.objects.contains_key(member("bucket_name")),
            "plain_text" => binding["text"].is_string(),
            "secret_text" => !member("text").is_empty(),
            _ => false,
        };
        if !there {
            return Err(Reply::refused(
                400,
                10061,
                &format!(
                    "Cannot create binding {}: what it names does not exist.",
                    member("name")
                ),
            ));
        }
    }
    Ok(())
}

fn keep(script: &Script, kept: &Value, bindings: &mut Vec<Value>) {
    let kinds = kept.as_array().cloned().unwrap_or_default();
    let old = script
        .versions
        .last()
        .map_or(&[][..], |version| &version.bindings);
    for binding in old {
        let new = bindings.iter().any(|new| new["name"] == binding["name"]);
        if kinds.contains(&binding["type"]) && !new {
            bindings.push(binding.clone());
        }
    }
}

fn brief(version: &Version) -> Value {
    json!({
        "id": version.id,
        "number": version.number,
        "metadata": { "created_on": "2026-07-01T00:00:00Z", "source": "api" },
        "annotations": version.metadata["annotations"],
    })
}

fn detail(version: &Version) -> Value {
    let mut answer = brief(version);
    let mut bindings = version.bindings.clone();
    for binding in &mut bindings {
        let members = binding.as_object_mut().unwrap();
        match members["type"].as_str().unwrap() {
            "secret_text" => drop(members.remove("text")),
            "durable_object_namespace" => drop(members.insert("namespace_id".into(), json!("5f"))),
            _ => {}
        }
    }
    answer["resources"] = json!({
        "bindings": bindings,
        "script": { "etag": "e", "handlers": ["fetch"] },
        "script_runtime": {
            "compatibility_date": version.metadata["compatibility_date"],
            "compatibility_flags": version.metadata["compatibility_flags"],
            "migration_tag": version.tag,
            "usage_model": "standard",
        },
    });
    answer
}

fn deployments(script: &Script) -> Reply {
    let one = |versions: &Vec<(String, u64)>| {
        let versions: Vec<Value> = versions
            .iter()
            .map(|(id, percentage)| json!({ "version_id": id, "percentage": percentage }))
            .collect();
        json!({ "strategy": "percentage", "created_on": "2026-07-01T00:00:00Z", "versions": versions })
    };
    let all: Vec<Value> = script.deployments.iter().rev().map(one).collect();
    ok(&json!({ "deployments": all }))
}

fn deploy(script: &mut Script, wanted: &Value) -> Reply {
    let mut shares = Vec::new();
    for share in wanted["versions"].as_array().unwrap() {
        let id = share["version_id"].as_str().unwrap();
        let Some(version) = script.version(id) else {
            return Reply::refused(404, NUMBERLESS, "The version does not exist.");
        };
        if version.tag != script.tag {
            return Reply::refused(
                400,
                NUMBERLESS,
                "A Durable Object migration has occurred since this version.",
            );
        }
        shares.push((id.to_owned(), share["percentage"].as_u64().unwrap()));
    }
    let sum: u64 = shares.iter().map(|(_, percentage)| percentage).sum();
    if sum != 100 || shares.len() > 2 || wanted["strategy"] != "percentage" {
        return Reply::refused(
            400,
            NUMBERLESS,
            "The percentages of at most two versions must add up to 100.",
        );
    }
    script.deployments.push(shares);
    ok(&json!({ "id": "deployment" }))
}

fn content(script: &Script, version: Option<&str>) -> Reply {
    let version = match version {
        Some(id) => script.version(id),
        None => script.versions.last(),
    };
    let Some(version) = version else {
        return Reply::refused(404, 10007, "This Worker does not exist on your account.");
    };
    let (kind, bytes) = form::write(&version.modules);
    let main = version.metadata["main_module"].as_str().unwrap();
    Reply::bytes(&kind, bytes).header("cf-entrypoint", main)
}
