//! Scripts, their versions, and which of them get the requests.

use crate::edge::api::{Again, Api, ApiError, Body, Call};
use crate::edge::multipart;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A script of the account.
#[derive(Debug, Clone, Deserialize)]
pub struct Script {
    /// Its name.
    pub id: String,
    /// The last migration of its Durable Objects.
    #[serde(default)]
    pub migration_tag: Option<String>,
}

/// What was uploaded once.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Names it.
    pub id: String,
    /// Counts up from 1.
    #[serde(default)]
    pub number: u64,
    /// When and by what.
    #[serde(default)]
    pub metadata: VersionMetadata,
    /// What it runs with; only where one version was asked for.
    #[serde(default)]
    pub resources: Resources,
}

/// When a version was uploaded.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct VersionMetadata {
    /// RFC 3339.
    #[serde(default)]
    pub created_on: String,
}

/// What a version runs with.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Resources {
    /// Bindings, those of type `secret_text` without their value.
    #[serde(default)]
    pub bindings: Vec<Bound>,
    /// How it runs.
    #[serde(default)]
    pub script_runtime: Runtime,
}

/// How a version runs.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Runtime {
    /// The version of the runtime's behaviour.
    #[serde(default)]
    pub compatibility_date: Option<String>,
    /// Exceptions from it.
    #[serde(default)]
    pub compatibility_flags: Vec<String>,
    /// The last migration when it was uploaded.
    #[serde(default)]
    pub migration_tag: Option<String>,
}

/// A binding, as the API states it. Members that it fills in by itself do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// Its name in the script.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// Which versions get the requests, from a moment on.
#[derive(Debug, Clone, Deserialize)]
pub struct Deployment {
    /// One or two.
    pub versions: Vec<Share>,
    /// RFC 3339.
    #[serde(default)]
    pub created_on: String,
}

/// A version's part of the requests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Share {
    /// The version.
    pub version_id: String,
    /// Of a hundred. The API has fractions.
    pub percentage: serde_json::Number,
}

impl Share {
    /// Whether it gets every request.
    pub fn is_all(&self) -> bool {
        self.is(100)
    }

    /// Whether it gets exactly this part.
    pub fn is(&self, percent: u8) -> bool {
        self.part().total_cmp(&f64::from(percent)).is_eq()
    }

    /// Its part, to be compared with others.
    pub fn part(&self) -> f64 {
        self.percentage.as_f64().unwrap_or_default()
    }
}

/// The modules of a version, as they were read back.
#[derive(Debug, Clone)]
pub struct Content {
    /// The module that is started, as the API states it.
    pub entrypoint: Option<String>,
    /// The parts.
    pub parts: Vec<multipart::Part>,
}

#[derive(Deserialize)]
struct Deployments {
    deployments: Vec<Deployment>,
}

#[derive(Deserialize)]
struct Versions {
    items: Vec<Version>,
}

impl Api {
    /// Every script of the account.
    pub async fn scripts(&self) -> Result<Vec<Script>, ApiError> {
        let path = ["workers", "scripts"];
        self.send(Call::get("list the account's scripts", &path))
            .await?
            .result()
    }

    /// Uploads a script and gives it every request: the only way to migrate Durable Objects.
    pub async fn put_script(&self, name: &str, form: multipart::Form) -> Result<(), ApiError> {
        let path = ["workers", "scripts", name];
        let mut call = Call::post(format!("publish {name}"), &path, body(form));
        call.method = Method::PUT;
        self.send(call).await?.done()
    }

    /// Uploads a version that gets no requests yet.
    pub async fn add_version(
        &self,
        name: &str,
        form: multipart::Form,
    ) -> Result<Version, ApiError> {
        let path = ["workers", "scripts", name, "versions"];
        let call = Call::post(format!("upload a version of {name}"), &path, body(form));
        self.send(call).await?.result()
    }

    /// The versions that can be deployed, the newest first.
    pub async fn versions(&self, name: &str) -> Result<Vec<Version>, ApiError> {
        let path = ["workers", "scripts", name, "versions"];
        let mut call = Call::get(format!("list the versions of {name}"), &path);
        call.query = &[("deployable", "true")];
        let found: Versions = self.send(call).await?.result()?;
        Ok(found.items)
    }

    /// One version, with what it runs with.
    pub async fn version(&self, name: &str, id: &str) -> Result<Version, ApiError> {
        let path = ["workers", "scripts", name, "versions", id];
        let call = Call::get(format!("look at version {id} of {name}"), &path);
        self.send(call).await?.result()
    }

    /// The deployments, the one in force first.
    pub async fn deployments(&self, name: &str) -> Result<Vec<Deployment>, ApiError> {
        let path = ["workers", "scripts", name, "deployments"];
        let call = Call::get(format!("list the deployments of {name}"), &path);
        let found: Deployments = self.send(call).await?.result()?;
        Ok(found.deployments)
    }

    /// Gives each version its part of the requests. May be done twice: the second changes nothing.
    pub async fn deploy(
        &self,
        name: &str,
        shares: &[(&str, u8)],
        message: &str,
    ) -> Result<(), ApiError> {
        let versions: Vec<Value> = shares
            .iter()
            .map(|(id, percentage)| json!({ "version_id": id, "percentage": percentage }))
            .collect();
        let text = json!({
            "strategy": "percentage",
            "versions": versions,
            "annotations": { "workers/message": message },
        });
        let path = ["workers", "scripts", name, "deployments"];
        let mut call = Call::post(
            format!("deploy {name}"),
            &path,
            Body::Json(text.to_string()),
        );
        call.again = Again::Yes;
        self.send(call).await?.done()
    }

    /// The modules of a version, or of the script when none is named.
    pub async fn content(&self, name: &str, version: Option<&str>) -> Result<Content, ApiError> {
        let path = ["workers", "scripts", name, "content", "v2"];
        let query: Vec<(&str, &str)> = version.map(|id| ("version", id)).into_iter().collect();
        let mut call = Call::get(format!("read {name} back"), &path);
        call.query = &query;
        let answer = self.send(call).await?;
        if !answer.status.is_success() {
            return Err(answer.refusal());
        }
        let parts = multipart::parse(&answer.content_type, &answer.body).map_err(|why| {
            ApiError::Unreadable {
                what: answer.what.clone(),
                why: why.to_string(),
            }
        })?;
        Ok(Content {
            entrypoint: answer.entrypoint,
            parts,
        })
    }
}

fn body(form: multipart::Form) -> Body {
    let (content_type, bytes) = form.finish();
    Body::Multipart {
        content_type,
        bytes,
    }
}
