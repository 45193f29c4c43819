//! Path templates.

/// `/devices/{id}`, below one of the servers' prefixes.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    segments: Vec<Option<String>>,
    prefixes: Vec<String>,
}

impl Template {
    /// `prefixes` are the paths of the servers, without a slash at the end.
    pub(crate) fn new(path: &str, prefixes: &[String]) -> Self {
        let segment = |text: &str| {
            let is_parameter = text.starts_with('{') && text.ends_with('}');
            (!is_parameter).then(|| text.to_owned())
        };
        Self {
            segments: path.split('/').map(segment).collect(),
            prefixes: prefixes.to_vec(),
        }
    }

    /// Whether `path` is one of these.
    pub(crate) fn matches(&self, path: &str) -> bool {
        self.prefixes
            .iter()
            .filter_map(|prefix| path.strip_prefix(prefix.as_str()))
            .any(|path| self.matches_whole(path))
    }

    /// How many segments may be anything: of several templates that match, the one with the fewest is meant.
    pub(crate) fn parameters(&self) -> usize {
        self.segments.iter().filter(|text| text.is_none()).count()
    }

    fn matches_whole(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        parts.len() == self.segments.len()
            && self
                .segments
                .iter()
                .zip(parts)
                .all(|(segment, part)| match segment {
                    Some(text) => text == part,
                    None => !part.is_empty(),
                })
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn a_template_is_neither_longer_nor_shorter_than_its_paths() {
        let prefixes = [String::new(), "/api/v1".to_owned()];
        let template = Template::new("/devices/{id}", &prefixes);
        assert!(template.matches("/devices/a"));
        assert!(template.matches("/api/v1/devices/a"));
        for other in [
            "/devices",
            "/devices/",
            "/devices/a/b",
            "/api/v2/devices/a",
            "devices/a",
        ] {
            assert!(!template.matches(other), "{other}");
        }
    }
}
