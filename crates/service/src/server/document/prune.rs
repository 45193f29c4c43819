//! Members that the generator writes as null, which the specification does not admit.

use serde_json::Value;

/// `value` without null `example` and `externalDocs`.
pub(super) fn nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, value)| {
                !(value.is_null() && matches!(name.as_str(), "example" | "externalDocs"))
            })
            .map(|(name, value)| (name, nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::nulls;
    use serde_json::json;

    #[test]
    fn only_the_generators_own_nulls_go() {
        assert_eq!(
            nulls(json!([{"a": {"example": null, "externalDocs": null, "default": null}}])),
            json!([{"a": {"default": null}}])
        );
    }
}
