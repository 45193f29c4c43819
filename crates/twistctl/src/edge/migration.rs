//! Which migrations of Durable Objects a script still needs.

use crate::edge::bindings::Migration;
use serde_json::{Value, json};

/// What a script needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pending {
    /// Nothing.
    None,
    /// These, in one step.
    Steps {
        /// Where the script is now.
        from: Option<String>,
        /// Where it is afterwards.
        to: String,
        /// As the API takes it.
        metadata: Value,
    },
    /// The script is somewhere that the list does not know.
    Unknown(String),
}

/// Compares the list with the script's tag.
pub(super) fn pending(list: &[Migration], tag: Option<&str>) -> Pending {
    let done = match tag {
        None => 0,
        Some(tag) => match list.iter().position(|step| step.tag == tag) {
            Some(at) => at + 1,
            None => return Pending::Unknown(tag.to_owned()),
        },
    };
    let left = list.get(done..).unwrap_or_default();
    let Some(newest) = left.last() else {
        return Pending::None;
    };
    let steps: Vec<Value> = left
        .iter()
        .map(|step| json!({ "new_sqlite_classes": step.new_sqlite_classes }))
        .collect();
    let mut metadata = json!({ "new_tag": newest.tag, "steps": steps });
    if let (Some(tag), Some(members)) = (tag, metadata.as_object_mut()) {
        members.insert("old_tag".to_owned(), json!(tag));
    }
    Pending::Steps {
        from: tag.map(str::to_owned),
        to: newest.tag.clone(),
        metadata,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Vec<Migration> {
        let step = |tag: &str, class: &str| Migration {
            tag: tag.into(),
            new_sqlite_classes: vec![class.into()],
        };
        vec![step("v1", "A"), step("v2", "B")]
    }

    #[test]
    fn a_script_gets_the_steps_that_it_lacks_and_no_other() {
        let metadata = |tag| match pending(&list(), tag) {
            Pending::Steps { metadata, .. } => metadata,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            metadata(None),
            json!({ "new_tag": "v2", "steps": [{ "new_sqlite_classes": ["A"] }, { "new_sqlite_classes": ["B"] }] })
        );
        assert_eq!(
            metadata(Some("v1")),
            json!({ "old_tag": "v1", "new_tag": "v2", "steps": [{ "new_sqlite_classes": ["B"] }] })
        );
        assert_eq!(pending(&list(), Some("v2")), Pending::None);
        assert_eq!(pending(&[], None), Pending::None);
        assert_eq!(pending(&list(), Some("v9")), Pending::Unknown("v9".into()));
    }
}
