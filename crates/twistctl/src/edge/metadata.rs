//! What is uploaded beside the modules.

use crate::edge::api::{Bound, Version};
use crate::edge::bindings::{Bindings, Worker, deployed};
use crate::edge::bundle::{Bundle, MAIN, WASM};
use crate::edge::multipart::Form;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Everything that a script is bound to in an environment, but for secrets.
pub(super) fn bound(
    worker: &Worker,
    environment: &str,
    variables: &[(String, String)],
    namespaces: &BTreeMap<String, String>,
) -> Vec<Bound> {
    let name = |name: &str| json!(deployed(name, environment));
    let mut all = Vec::new();
    let mut add = |binding: &str, kind: &str, rest: Vec<(&str, Value)>| {
        all.push(Bound {
            name: binding.to_owned(),
            kind: kind.to_owned(),
            rest: rest
                .into_iter()
                .map(|(member, value)| (member.to_owned(), value))
                .collect(),
        });
    };
    for (variable, value) in variables {
        add(variable, "plain_text", vec![("text", json!(value))]);
    }
    for object in &worker.durable_objects {
        let mut rest = vec![("class_name", json!(object.class))];
        rest.extend(
            object
                .script
                .iter()
                .map(|script| ("script_name", name(script))),
        );
        add(&object.binding, "durable_object_namespace", rest);
    }
    for service in &worker.services {
        add(
            &service.binding,
            "service",
            vec![("service", name(&service.worker))],
        );
    }
    for queue in &worker.queues {
        add(
            &queue.binding,
            "queue",
            vec![("queue_name", name(&queue.queue))],
        );
    }
    for bucket in &worker.r2 {
        add(
            &bucket.binding,
            "r2_bucket",
            vec![("bucket_name", name(&bucket.bucket))],
        );
    }
    for kv in &worker.kv {
        let id = namespaces.get(&kv.namespace).cloned().unwrap_or_default();
        add(
            &kv.binding,
            "kv_namespace",
            vec![("namespace_id", json!(id))],
        );
    }
    all
}

/// Whether a version runs with exactly these bindings and secrets of these names.
pub(super) fn is_bound(version: &Version, wanted: &[Bound], bindings: &Bindings) -> bool {
    let resources = &version.resources;
    let others: Vec<&Bound> = resources
        .bindings
        .iter()
        .filter(|bound| bound.kind != "secret_text")
        .collect();
    let has = |wanted: &Bound| {
        let mut same = others
            .iter()
            .filter(|found| found.name == wanted.name && found.kind == wanted.kind);
        // The API adds members, such as a namespace's id.
        same.any(|found| {
            wanted
                .rest
                .iter()
                .all(|(member, value)| found.rest.get(member) == Some(value))
        })
    };
    let runtime = &resources.script_runtime;
    others.len() == wanted.len()
        && wanted.iter().all(has)
        && runtime.compatibility_date.as_deref() == Some(bindings.compatibility_date.as_str())
        && runtime.compatibility_flags == bindings.compatibility_flags
}

/// One upload.
pub(super) struct Upload<'a> {
    pub(super) bindings: &'a Bindings,
    pub(super) bundle: &'a Bundle,
    pub(super) bound: &'a [Bound],
    pub(super) secrets: &'a [(String, String)],
    /// Secrets that stay as they are.
    pub(super) kept: bool,
    pub(super) migrations: Option<Value>,
}

impl Upload<'_> {
    /// The form.
    pub(super) fn form(&self) -> Form {
        let mut bound: Vec<Value> = self.bound.iter().map(|bound| json!(bound)).collect();
        bound.extend(
            self.secrets
                .iter()
                .map(|(name, text)| json!({ "name": name, "type": "secret_text", "text": text })),
        );
        let mut metadata = Map::new();
        let mut put = |member: &str, value: Value| metadata.insert(member.to_owned(), value);
        put("main_module", json!(MAIN));
        put(
            "compatibility_date",
            json!(self.bindings.compatibility_date),
        );
        put(
            "compatibility_flags",
            json!(self.bindings.compatibility_flags),
        );
        put("bindings", Value::Array(bound));
        put("annotations", json!({ "workers/tag": self.bundle.tag() }));
        if self.kept {
            put("keep_bindings", json!(["secret_text"]));
        }
        if let Some(migrations) = &self.migrations {
            put("migrations", migrations.clone());
        }
        Form::default()
            .part(
                "metadata",
                "application/json",
                Value::Object(metadata).to_string().into_bytes(),
            )
            .part(
                MAIN,
                "application/javascript+module",
                self.bundle.module(MAIN).to_vec(),
            )
            .part(WASM, "application/wasm", self.bundle.module(WASM).to_vec())
    }
}
