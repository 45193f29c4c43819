//! Judging one answer.

use crate::route::Template;
use crate::strict;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Refusals of the shell itself, which come before it is known which operation was meant.
const SHELL_STATUSES: [u16; 7] = [400, 403, 404, 405, 429, 500, 503];

/// How an answer differs from what the document says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// No template of the document matches the path, and the answer is no refusal of the shell.
    #[error("the path is not documented")]
    UndocumentedPath,
    /// The path is documented for other methods only, and the answer is no refusal of the shell.
    #[error("the method is not documented")]
    UndocumentedMethod,
    /// The operation does not have this status.
    #[error("the status {0} is not documented")]
    UndocumentedStatus(u16),
    /// The response does not have this media type.
    #[error("the content type {0:?} is not documented")]
    UndocumentedContentType(Option<String>),
    /// A header that every such response has is missing.
    #[error("the header {0} is missing")]
    MissingHeader(String),
    /// The response has no body by its documentation.
    #[error("there is a body where none is documented")]
    UnexpectedBody,
    /// The media type is JSON and the body is not.
    #[error("the body is not JSON")]
    NotJson,
    /// The body is not as its schema says.
    #[error("the body does not follow its schema: {}", .0.join("; "))]
    Schema(Vec<String>),
    /// The document itself cannot be used.
    #[error("the document is not usable: {0}")]
    Document(String),
}

/// What an `OpenAPI` 3.1 document promises about answers.
#[derive(Debug)]
pub struct Contract {
    operations: Vec<Operation>,
    shell: BTreeMap<u16, Arc<Promise>>,
}

#[derive(Debug)]
struct Operation {
    method: String,
    template: Template,
    responses: BTreeMap<u16, Arc<Promise>>,
}

/// One documented response.
#[derive(Debug)]
struct Promise {
    content: BTreeMap<String, Body>,
    required_headers: Vec<String>,
}

/// A body's schema, compiled when it is first needed.
#[derive(Debug)]
struct Body {
    schema: Value,
    compiled: OnceLock<Result<Validator, String>>,
}

impl Contract {
    /// Reads a document.
    ///
    /// # Errors
    /// When a reference leads nowhere or a response is not what `OpenAPI` says.
    pub fn from_document(document: &Value) -> Result<Self, Violation> {
        let components = strict::closed_components(document);
        let default_prefixes = prefixes(document);
        let mut operations = Vec::new();
        for (path, item) in members(document, "/paths") {
            let own = prefixes(item);
            let prefixes = if own.is_empty() {
                &default_prefixes
            } else {
                &own
            };
            for (method, operation) in item.as_object().into_iter().flatten() {
                let mut responses = BTreeMap::new();
                for (status, response) in members(operation, "/responses") {
                    let status = status.parse().map_err(|_| {
                        Violation::Document(format!("{method} {path}: response {status}"))
                    })?;
                    let promise = Promise::read(document, response, &components)?;
                    responses.insert(status, Arc::new(promise));
                }
                if !responses.is_empty() {
                    operations.push(Operation {
                        method: method.to_uppercase(),
                        template: Template::new(path, prefixes),
                        responses,
                    });
                }
            }
        }
        let mut shell = BTreeMap::new();
        for (_, response) in members(document, "/components/responses") {
            let promise = Promise::read(document, response, &components)?;
            if let Some(status) = promise.status().filter(|s| SHELL_STATUSES.contains(s)) {
                shell.insert(status, Arc::new(promise));
            }
        }
        operations.sort_by_key(|operation| operation.template.parameters());
        Ok(Self { operations, shell })
    }

    /// Judges an answer; `path` has no query.
    ///
    /// # Errors
    /// The first way in which the answer differs from the document.
    pub fn check(
        &self,
        method: &str,
        path: &str,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<(), Violation> {
        let promise = self.promise(method, path, status)?;
        match promise {
            Some(promise) => promise.check(method, content_type, body),
            None => Ok(()),
        }
    }

    /// Whether every header is there that such an answer must have.
    ///
    /// # Errors
    /// The first that is missing.
    pub fn check_headers<'a>(
        &self,
        method: &str,
        path: &str,
        status: u16,
        headers: impl Iterator<Item = &'a str>,
    ) -> Result<(), Violation> {
        let Some(promise) = self.promise(method, path, status)? else {
            return Ok(());
        };
        let there: Vec<String> = headers.map(str::to_ascii_lowercase).collect();
        let missing = promise
            .required_headers
            .iter()
            .find(|name| !there.contains(&name.to_ascii_lowercase()));
        missing.map_or(Ok(()), |name| Err(Violation::MissingHeader(name.clone())))
    }

    /// What is promised; `None` for the answer to a browser that only asks whether it may ask.
    fn promise(
        &self,
        method: &str,
        path: &str,
        status: u16,
    ) -> Result<Option<&Promise>, Violation> {
        let on_path = || {
            self.operations
                .iter()
                .filter(|operation| operation.template.matches(path))
        };
        if method == "OPTIONS" && (200..300).contains(&status) && on_path().next().is_some() {
            return Ok(None);
        }
        let documented = if method == "HEAD" { "GET" } else { method };
        if let Some(operation) = on_path().find(|operation| operation.method == documented) {
            let promise = operation.responses.get(&status);
            return promise
                .map(|promise| Some(promise.as_ref()))
                .ok_or(Violation::UndocumentedStatus(status));
        }
        let is_known = on_path().next().is_some();
        let impossible = if is_known { 404 } else { 405 };
        match self.shell.get(&status) {
            // Where there is a route, it is not said that there is none.
            Some(promise) if status != impossible => Ok(Some(promise)),
            _ if is_known => Err(Violation::UndocumentedMethod),
            _ => Err(Violation::UndocumentedPath),
        }
    }
}

impl Promise {
    fn read(document: &Value, response: &Value, components: &Value) -> Result<Self, Violation> {
        let response = follow(document, response)?;
        let mut content = BTreeMap::new();
        for (media, value) in members(response, "/content") {
            let schema = value.get("schema").cloned().unwrap_or(Value::Bool(true));
            content.insert(media.to_ascii_lowercase(), Body::new(&schema, components));
        }
        let mut required_headers = Vec::new();
        for (name, header) in members(response, "/headers") {
            if follow(document, header)?.get("required") == Some(&Value::Bool(true)) {
                required_headers.push(name.clone());
            }
        }
        Ok(Self {
            content,
            required_headers,
        })
    }

    /// The status that its schema fixes.
    fn status(&self) -> Option<u16> {
        let body = self.content.values().next()?;
        let parts = body.schema.pointer("/allOf/0/allOf")?.as_array()?;
        let status = parts
            .iter()
            .find_map(|part| part.pointer("/properties/status/const"))?;
        u16::try_from(status.as_u64()?).ok()
    }

    fn check(
        &self,
        method: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<(), Violation> {
        if self.content.is_empty() {
            return if body.is_empty() {
                Ok(())
            } else {
                Err(Violation::UnexpectedBody)
            };
        }
        let undocumented = || Violation::UndocumentedContentType(content_type.map(str::to_owned));
        let essence = content_type
            .and_then(|text| text.split(';').next())
            .map(|text| text.trim().to_ascii_lowercase())
            .ok_or_else(undocumented)?;
        let documented = self.content.get(&essence).ok_or_else(undocumented)?;
        if method == "HEAD" {
            return Ok(());
        }
        if essence != "application/json" && !essence.ends_with("+json") {
            return Ok(());
        }
        let value = serde_json::from_slice(body).map_err(|_| Violation::NotJson)?;
        documented.check(&value)
    }
}

impl Body {
    fn new(schema: &Value, components: &Value) -> Self {
        Self {
            schema: json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [strict::closed(schema)],
                "components": components,
            }),
            compiled: OnceLock::new(),
        }
    }

    fn check(&self, value: &Value) -> Result<(), Violation> {
        let compiled = self.compiled.get_or_init(|| {
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .should_validate_formats(true)
                .build(&self.schema)
                .map_err(|error| error.to_string())
        });
        let validator = compiled
            .as_ref()
            .map_err(|error| Violation::Document(error.clone()))?;
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("at {:?}: {error}", error.instance_path.as_str()))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Violation::Schema(errors))
        }
    }
}

/// Paths of the servers of a document or a path item.
fn prefixes(value: &Value) -> Vec<String> {
    let servers = value.get("servers").and_then(Value::as_array);
    servers
        .into_iter()
        .flatten()
        .filter_map(|server| server.get("url")?.as_str())
        .map(|url| url.trim_end_matches('/').to_owned())
        .collect()
}

/// `value`, or what it refers to.
fn follow<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value, Violation> {
    let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
        return Ok(value);
    };
    reference
        .strip_prefix('#')
        .and_then(|pointer| document.pointer(pointer))
        .ok_or_else(|| Violation::Document(format!("{reference} leads nowhere")))
}

fn members<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let found: Option<&Map<String, Value>> = value.pointer(pointer).and_then(Value::as_object);
    found.into_iter().flatten()
}
