//! `edge/bindings.json`: what every script is bound to, in every environment.

use crate::edge::EdgeError;
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// The form that is read here.
const FORM: u32 = 2;

/// The list.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bindings {
    /// The form of the list: 2.
    version: u32,
    /// The version of the runtime's behaviour.
    pub compatibility_date: String,
    /// Exceptions from it.
    #[serde(default)]
    pub compatibility_flags: Vec<String>,
    /// What became of the Durable Object classes, the first step first.
    pub migrations: Vec<Migration>,
    /// The scripts.
    pub workers: Vec<Worker>,
}

/// A step in the life of the Durable Object classes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// Names it, for good.
    pub tag: String,
    /// Classes that come into being with it, on SQLite.
    #[serde(default)]
    pub new_sqlite_classes: Vec<String>,
}

/// A script.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Worker {
    /// Its name; in Cloudflare the environment follows.
    pub name: String,
    /// The artifact that it consists of.
    pub bundle: String,
    /// Whether requests from the internet come to it.
    pub routed: bool,
    /// When it is woken.
    #[serde(default)]
    pub crons: Vec<String>,
    /// Plain values.
    #[serde(default)]
    pub vars: Vec<Value>,
    /// Values that nobody reads back.
    #[serde(default)]
    pub secrets: Vec<Value>,
    /// Durable Objects.
    #[serde(default)]
    pub durable_objects: Vec<DurableObject>,
    /// Other scripts.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Queues.
    #[serde(default)]
    pub queues: Vec<Queue>,
    /// Buckets.
    #[serde(default)]
    pub r2: Vec<Bucket>,
    /// Key-value namespaces.
    #[serde(default)]
    pub kv: Vec<Namespace>,
}

/// A variable or a secret.
#[derive(Debug, Clone, Deserialize)]
pub struct Value {
    /// Its name in the script.
    pub name: String,
    /// Whether an environment has to give it.
    #[serde(default)]
    pub required: bool,
    /// What it is otherwise.
    #[serde(default)]
    pub default: Option<String>,
}

/// A namespace of Durable Objects.
#[derive(Debug, Clone, Deserialize)]
pub struct DurableObject {
    /// Its name in the script.
    pub binding: String,
    /// The class.
    pub class: String,
    /// The script that has it; this one, if none is named.
    #[serde(default)]
    pub script: Option<String>,
}

/// Another script that can be called.
#[derive(Debug, Clone, Deserialize)]
pub struct Service {
    /// Its name in the script.
    pub binding: String,
    /// The other script.
    pub worker: String,
}

/// A queue that the script sends to.
#[derive(Debug, Clone, Deserialize)]
pub struct Queue {
    /// Its name in the script.
    pub binding: String,
    /// The queue; in Cloudflare the environment follows.
    pub queue: String,
    /// How the script takes messages from it, if it does.
    #[serde(default)]
    pub consumer: Option<Consumer>,
}

/// How a script takes messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumer {
    /// Where messages go that it could not deal with.
    #[serde(default)]
    pub dead_letter_queue: Option<String>,
}

/// A bucket.
#[derive(Debug, Clone, Deserialize)]
pub struct Bucket {
    /// Its name in the script.
    pub binding: String,
    /// The bucket; in Cloudflare the environment follows.
    pub bucket: String,
}

/// A key-value namespace.
#[derive(Debug, Clone, Deserialize)]
pub struct Namespace {
    /// Its name in the script.
    pub binding: String,
    /// The namespace's title; in Cloudflare the environment follows.
    pub namespace: String,
}

impl Bindings {
    /// Reads the list.
    pub fn load(path: &Path) -> Result<Self, EdgeError> {
        let text = fs::read(path).map_err(EdgeError::io("read", path))?;
        let read: Self = serde_json::from_slice(&text)
            .map_err(|error| EdgeError::help(format!("{}: {error}", path.display())))?;
        read.check()
            .map_err(|why| EdgeError::help(format!("{}: {why}", path.display())))?;
        Ok(read)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != FORM {
            return Err(format!(
                "is a list of version {}, {FORM} expected",
                self.version
            ));
        }
        for worker in &self.workers {
            for other in worker.needs() {
                if self.worker(other).is_none() {
                    return Err(format!(
                        "{} is bound to {other}, which is no worker",
                        worker.name
                    ));
                }
            }
        }
        if self.in_order().len() == self.workers.len() {
            Ok(())
        } else {
            Err("workers are bound to one another in a circle".to_owned())
        }
    }

    /// The script of that name.
    pub fn worker(&self, name: &str) -> Option<&Worker> {
        self.workers.iter().find(|worker| worker.name == name)
    }

    /// The scripts in the order of publishing: whatever a script is bound to comes before it.
    pub fn in_order(&self) -> Vec<&Worker> {
        let mut sorted: Vec<&Worker> = Vec::new();
        // Every round places at least one, or they form a circle.
        for _ in &self.workers {
            for worker in &self.workers {
                let placed = |name: &str| sorted.iter().any(|worker| worker.name == name);
                if !placed(&worker.name) && worker.needs().all(placed) {
                    sorted.push(worker);
                }
            }
        }
        sorted
    }

    /// The migrations of a script: those of the classes that it has itself.
    pub fn migrations_of(&self, worker: &Worker) -> &[Migration] {
        if worker.has_classes() {
            &self.migrations
        } else {
            &[]
        }
    }

    /// Queues that have a dead-letter queue, with it.
    pub fn dead_letters(&self) -> Vec<(&str, &str)> {
        self.workers
            .iter()
            .flat_map(|worker| &worker.queues)
            .filter_map(|queue| {
                let consumer = queue.consumer.as_ref()?;
                Some((queue.queue.as_str(), consumer.dead_letter_queue.as_deref()?))
            })
            .collect()
    }
}

impl Worker {
    /// Whether Durable Object classes are in it.
    pub fn has_classes(&self) -> bool {
        self.durable_objects
            .iter()
            .any(|object| object.script.is_none())
    }

    /// The scripts that have to be there before it.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &str> {
        let services = self.services.iter().map(|service| service.worker.as_str());
        let objects = self.durable_objects.iter();
        services.chain(objects.filter_map(|object| object.script.as_deref()))
    }
}

/// A script's, queue's or bucket's name in Cloudflare.
pub fn deployed(name: &str, environment: &str) -> String {
    format!("{name}-{environment}")
}
