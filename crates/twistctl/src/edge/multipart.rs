//! `multipart/form-data`, written and read.

use attest::Sha256;

/// What may lie between two boundaries at most; Cloudflare names no more headers than three.
const MOST_HEADER: usize = 8 << 10;
/// Parts of one body at most.
const MOST_PARTS: usize = 256;

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The media type, if it is stated.
    pub content_type: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A body that is no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAForm(&'static str);

/// A body in the making.
#[derive(Debug, Clone, Default)]
pub struct Form {
    parts: Vec<Part>,
}

impl Form {
    /// Adds a part; one whose name could break out of its header does not exist in this program.
    #[must_use]
    pub fn part(mut self, name: &str, content_type: &str, bytes: Vec<u8>) -> Self {
        self.parts.push(Part {
            name: name.to_owned(),
            content_type: Some(content_type.to_owned()),
            bytes,
        });
        self
    }

    /// The content type and the bytes. The same parts give the same bytes.
    pub fn finish(self) -> (String, Vec<u8>) {
        let boundary = self.boundary();
        let mut out = Vec::new();
        for part in &self.parts {
            out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            let named = format!(
                "Content-Disposition: form-data; name=\"{0}\"; filename=\"{0}\"\r\n",
                part.name
            );
            out.extend_from_slice(named.as_bytes());
            if let Some(kind) = &part.content_type {
                out.extend_from_slice(format!("Content-Type: {kind}\r\n").as_bytes());
            }
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(&part.bytes);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), out)
    }

    /// A line that is in none of the parts: a hash over them, which none of them can hold.
    fn boundary(&self) -> String {
        let mut all = Vec::new();
        for part in &self.parts {
            all.extend_from_slice(Sha256::of(part.name.as_bytes()).as_bytes());
            all.extend_from_slice(Sha256::of(&part.bytes).as_bytes());
        }
        format!("twist-{}", Sha256::of(&all))
    }
}

/// The parts of a body.
pub fn parse(content_type: &str, body: &[u8]) -> Result<Vec<Part>, NotAForm> {
    let boundary = boundary(content_type).ok_or(NotAForm("it is no multipart/form-data"))?;
    split(&boundary, body)
}

/// The parts of a body whose content type was not kept: its first line is the boundary.
pub fn parse_dump(body: &[u8]) -> Result<Vec<Part>, NotAForm> {
    let line = body
        .get(..MOST_HEADER.min(body.len()))
        .and_then(|head| head.split(|byte| *byte == b'\n').next())
        .and_then(|line| str::from_utf8(line).ok())
        .map(|line| line.trim_end_matches('\r'));
    match line.and_then(|line| line.strip_prefix("--")) {
        Some(boundary) if !boundary.is_empty() => split(boundary, body),
        _ => Err(NotAForm("it does not begin with a boundary")),
    }
}

fn boundary(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';');
    let kind = parameters.next()?.trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty())
            .then(|| value.to_owned())
    })
}

fn split(boundary: &str, body: &[u8]) -> Result<Vec<Part>, NotAForm> {
    // A delimiter is a line of its own; the first one may stand at the very beginning.
    let first = format!("--{boundary}");
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut rest = if let Some(rest) = body.strip_prefix(first.as_bytes()) {
        rest
    } else {
        after(body, &delimiter)
            .ok_or(NotAForm("its boundary is not in it"))?
            .1
    };
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        rest = rest
            .strip_prefix(b"\r\n")
            .ok_or(NotAForm("a boundary is not followed by a line's end"))?;
        let (inside, next) =
            after(rest, &delimiter).ok_or(NotAForm("it ends in the middle of a part"))?;
        parts.push(part(inside)?);
        if parts.len() > MOST_PARTS {
            return Err(NotAForm("it has too many parts"));
        }
        rest = next;
    }
}

fn part(inside: &[u8]) -> Result<Part, NotAForm> {
    let (head, bytes) = after(inside, b"\r\n\r\n").ok_or(NotAForm("a part has no headers"))?;
    if head.len() > MOST_HEADER {
        return Err(NotAForm("a part's headers are too long"));
    }
    let head = str::from_utf8(head).map_err(|_| NotAForm("a part's headers are no text"))?;
    let (mut name, mut content_type) = (None, None);
    for line in head.split("\r\n") {
        let Some((header, value)) = line.split_once(':') else {
            continue;
        };
        if header.eq_ignore_ascii_case("content-disposition") {
            name = parameter(value, "name").or_else(|| parameter(value, "filename"));
        } else if header.eq_ignore_ascii_case("content-type") {
            content_type = Some(value.trim().to_owned());
        }
    }
    Ok(Part {
        name: name.ok_or(NotAForm("a part has no name"))?,
        content_type,
        bytes: bytes.to_vec(),
    })
}

/// A parameter of a header: `name="value"` or `name=value`.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case(wanted)
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// What lies before and after the first `needle`.
fn after<'a>(hay: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    // Bodies are megabytes of wasm: only where the first byte is, the rest is compared.
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let at = from + hay.get(from..)?.iter().position(|byte| *byte == first)?;
        let tail = hay.get(at..)?;
        if let Some(rest) = tail.strip_prefix(needle) {
            return Some((hay.get(..at)?, rest));
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_server_writes_is_read() {
        let body = b"--X\r\nContent-Disposition: form-data; name=\"a.js\"\r\n\
            Content-Type: application/javascript+module\r\n\r\n\r\n--X-is no boundary\r\n\r\n--X\r\n\
            content-disposition: form-data; filename=b; name=b\r\n\r\n\r\n--X--\r\n";
        // A line that begins like the boundary and goes on is one: RFC 2046 forbids it inside.
        assert!(parse("multipart/form-data; boundary=X", body).is_err());
        let body = b"--X\r\nContent-Disposition: form-data; name=\"a.js\"\r\n\
            Content-Type: application/javascript+module\r\n\r\n--Y\r\n\r\n\r\n--X\r\n\
            content-disposition: form-data; filename=b; name=b\r\n\r\n\r\n--X--\r\n";
        let parts = parse("multipart/form-data; boundary=\"X\"", body).unwrap();
        assert_eq!(parts[0].name, "a.js");
        assert_eq!(parts[0].bytes, b"--Y\r\n\r\n");
        assert_eq!((parts[1].name.as_str(), parts[1].bytes.len()), ("b", 0));
        assert_eq!(parse_dump(body).unwrap(), parts);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for (kind, body) in [
            ("application/json", "--X--"),
            ("multipart/form-data", "--X--"),
            ("multipart/form-data; boundary=", "----"),
            ("multipart/form-data; boundary=X", ""),
            ("multipart/form-data; boundary=X", "--X"),
            ("multipart/form-data; boundary=X", "--X\r\nno header"),
            (
                "multipart/form-data; boundary=X",
                "--X\r\nA: b\r\n\r\nx\r\n--X--",
            ),
        ] {
            assert!(parse(kind, body.as_bytes()).is_err(), "{kind} {body}");
        }
        assert!(parse_dump(b"").is_err());
        assert!(parse_dump(b"--").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..5)) {
            let form = bodies.iter().enumerate().fold(Form::default(), |form, (at, body)| {
                form.part(&format!("p{at}"), "application/wasm", body.clone())
            });
            let (kind, bytes) = form.finish();
            let parts = parse(&kind, &bytes).unwrap();
            prop_assert_eq!(&parse_dump(&bytes).unwrap(), &parts);
            let read: Vec<Vec<u8>> = parts.into_iter().map(|part| part.bytes).collect();
            prop_assert_eq!(read, bodies);
        }

        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200), text in "[-X\r\n:; a=\"]{0,60}") {
            let _ = parse("multipart/form-data; boundary=X", &body);
            let _ = parse("multipart/form-data; boundary=X", text.as_bytes());
            let _ = parse_dump(&body);
        }
    }
}
