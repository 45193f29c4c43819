//! The keys of a configuration, from the JSON Schema of its type.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of `T` in one piece.
pub(super) fn schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind<'a> {
    Section(&'a Value),
    List,
    Text,
    Number {
        min: Option<i64>,
        max: Option<i64>,
    },
    Switch,
    /// Left to the type.
    Any,
}

impl Kind<'_> {
    /// In a sentence: "must be …".
    pub(super) fn words(self) -> String {
        match self {
            Self::Section(_) => "a section".to_owned(),
            Self::List => "a list, or a text with commas".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Any => "a value".to_owned(),
            Self::Number { min, max } => match (min, max) {
                (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
                (Some(min), None) => format!("a whole number, {min} or more"),
                (None, Some(max)) => format!("a whole number, at most {max}"),
                (None, None) => "a whole number".to_owned(),
            },
        }
    }
}

/// What `schema` admits. A value that may be left out (`null`) is of the kind that it has when it is there.
pub(super) fn kind(schema: &Value) -> Kind<'_> {
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    if let Some(real) = alternatives.and_then(|all| all.iter().find(|one| !is_null(one))) {
        return kind(real);
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    match types.iter().find(|name| **name != "null").copied() {
        Some("object") => Kind::Section(schema),
        Some("array") => Kind::List,
        Some("string") => Kind::Text,
        Some("boolean") => Kind::Switch,
        Some("integer") => {
            let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
            let min = bound("minimum");
            let max = bound("maximum").or_else(|| match schema.get("format")?.as_str()? {
                "uint16" => Some(i64::from(u16::MAX)),
                "uint32" => Some(i64::from(u32::MAX)),
                _ => None,
            });
            Kind::Number { min, max }
        }
        _ => Kind::Any,
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

/// The keys that `schema` says must be there.
pub(super) fn required(schema: &Value) -> Vec<&str> {
    let names = schema.get("required").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// One key, for people.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    /// `database.url`; `<name>` stands for a name that the operator chooses.
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) default: Option<Value>,
    pub(super) required: bool,
    pub(super) secret: bool,
    pub(super) meaning: String,
}

/// Every key of `schema`, in the order of the alphabet.
pub(super) fn all(schema: &Value) -> Vec<Key> {
    let mut keys = Vec::new();
    collect(schema, "", None, true, &mut keys);
    keys
}

fn collect(schema: &Value, path: &str, default: Option<&Value>, needed: bool, keys: &mut Vec<Key>) {
    let must = required(schema);
    let named = schema.get("properties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|s| s.is_object());
    let named = named
        .into_iter()
        .flatten()
        .map(|(name, inner)| (name.as_str(), inner));
    for (name, inner) in named.chain(others.map(|inner| ("<name>", inner))) {
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        let default = default
            .and_then(|outer| outer.get(name))
            .or_else(|| inner.get("default"));
        let required = needed && must.contains(&name);
        match kind(inner) {
            Kind::Section(below) => collect(below, &path, default, required, keys),
            kind => keys.push(Key {
                kind: words(inner, kind),
                default: default.filter(|value| !value.is_null()).cloned(),
                required,
                secret: inner.get("writeOnly").is_some_and(|only| only == true),
                meaning: meaning(inner, schema),
                path,
            }),
        }
    }
}

fn words(schema: &Value, kind: Kind<'_>) -> String {
    let choices = schema.get("enum").and_then(Value::as_array);
    match choices {
        Some(choices) => {
            let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
            format!("one of {}", choices.join(", "))
        }
        None => match kind {
            Kind::Number { .. } => {
                let words = kind.words();
                words.strip_prefix("a ").unwrap_or(&words).to_owned()
            }
            Kind::List => "list".to_owned(),
            Kind::Text => "text".to_owned(),
            other => other.words(),
        },
    }
}

/// What the key means; of a name that the operator chooses, what its section means.
fn meaning(schema: &Value, section: &Value) -> String {
    let of = |schema: &Value| {
        let text = schema.get("description").and_then(Value::as_str)?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    of(schema).or_else(|| of(section)).unwrap_or_default()
}
