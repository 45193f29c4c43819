//! The key that a client sends.

use crate::ApiError;
use crate::server::ALIAS;
use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{
    HeaderStyle, Operation, Parameter, ParameterData, ParameterSchemaOrContent, ReferenceOr,
    SchemaObject,
};
use axum::extract::{FromRequestParts, MatchedPath, OptionalFromRequestParts};
use contracts::Code;
use http::HeaderName;
use http::request::Parts;
use uuid::Uuid;

/// The header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The namespace of the ids of effects.
const EFFECTS: Uuid = Uuid::from_u128(0x8d1c_51b2_3f0e_5c5e_9a77_0d6a_41c6_0004);

const LENGTH: std::ops::RangeInclusive<usize> = 16..=64;
const PATTERN: &str = "^[A-Za-z0-9_-]{16,64}$";

/// A key and the route it was sent to. As an extractor it is required; `Option<RequestKey>` admits requests without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    key: String,
    route: String,
    path: String,
}

impl RequestKey {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// An id for what the request of `user` with this key makes: a UUID of version 5 over user, route and key, so that a
    /// request that is sent again means the same, also to whoever it is passed on to.
    pub fn effect_id(&self, user: Uuid) -> Uuid {
        let name = format!("{user}|{}|{}", self.route, self.key);
        Uuid::new_v5(&EFFECTS, name.as_bytes())
    }

    /// Method and template, the same under the alias.
    pub(super) fn route(&self) -> &str {
        &self.route
    }

    /// The path that was called, without the alias.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn read(parts: &Parts) -> Result<Option<Self>, ApiError> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let (value, second) = (values.next(), values.next());
        let Some(value) = value else { return Ok(None) };
        let key = value.to_str().ok().filter(|key| {
            second.is_none()
                && LENGTH.contains(&key.len())
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        });
        let Some(key) = key else {
            return Err(ApiError::new(
                Code::IdempotencyKeyMissing,
                "Idempotency-Key must be one value of 16 to 64 letters, digits, `_` or `-`.",
            ));
        };
        let template = parts.extensions.get::<MatchedPath>();
        let template = template.map_or_else(|| parts.uri.path(), MatchedPath::as_str);
        Ok(Some(Self {
            key: key.to_owned(),
            route: format!("{} {}", parts.method, without_alias(template)),
            path: without_alias(original_path(parts)).to_owned(),
        }))
    }
}

fn original_path(parts: &Parts) -> &str {
    parts
        .extensions
        .get::<axum::extract::OriginalUri>()
        .map_or_else(|| parts.uri.path(), |uri| uri.0.path())
}

fn without_alias(path: &str) -> &str {
    path.strip_prefix(ALIAS).unwrap_or(path)
}

impl<S: Send + Sync> FromRequestParts<S> for RequestKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::read(parts)?.ok_or_else(|| {
            ApiError::new(
                Code::IdempotencyKeyMissing,
                "Send an Idempotency-Key: 16 to 64 letters, digits, `_` or `-`, new for each new request.",
            )
        })
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for RequestKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, ApiError> {
        Self::read(parts)
    }
}

impl OperationInput for RequestKey {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let schema = schemars::json_schema!({
            "type": "string", "minLength": LENGTH.start(), "maxLength": LENGTH.end(), "pattern": PATTERN,
        });
        let parameter_data = ParameterData {
            name: "Idempotency-Key".to_owned(),
            description: Some(
                "Sent again with the same request, it has no second effect and gets the same answer."
                    .to_owned(),
            ),
            // An `Option` of it makes it optional.
            required: true,
            deprecated: None,
            format: ParameterSchemaOrContent::Schema(SchemaObject {
                json_schema: schema,
                example: None,
                external_docs: None,
            }),
            example: None,
            examples: std::iter::empty().collect(),
            explode: None,
            extensions: std::iter::empty().collect(),
        };
        operation
            .parameters
            .push(ReferenceOr::Item(Parameter::Header {
                parameter_data,
                style: HeaderStyle::Simple,
            }));
    }
}
