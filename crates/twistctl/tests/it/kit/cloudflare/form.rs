//! Forms, read and written by other rules than the program's own: line by line.

/// A part: name, media type, bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn read(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
    let (open, close) = (format!("--{boundary}\r\n"), format!("--{boundary}--\r\n"));
    let mut parts: Vec<Part> = Vec::new();
    let mut lines = body.split_inclusive(|byte| *byte == b'\n');
    let mut in_head = false;
    while let Some(line) = lines.next() {
        if line == close.as_bytes() {
            // Nothing may follow.
            return lines.next().is_none().then(|| {
                for part in &mut parts {
                    // The line's end before a boundary belongs to the boundary.
                    let length = part.bytes.len().checked_sub(2).unwrap();
                    assert_eq!(part.bytes.split_off(length), b"\r\n");
                }
                parts
            });
        }
        if line == open.as_bytes() {
            in_head = true;
            parts.push(Part {
                name: String::new(),
                kind: String::new(),
                bytes: Vec::new(),
            });
            continue;
        }
        let part = parts.last_mut()?;
        if !in_head {
            part.bytes.extend_from_slice(line);
            continue;
        }
        let text = str::from_utf8(line).ok()?.trim_end();
        if let Some(value) = text.strip_prefix("Content-Disposition: form-data; name=\"") {
            value.split('"').next()?.clone_into(&mut part.name);
        } else if let Some(value) = text.strip_prefix("Content-Type: ") {
            value.clone_into(&mut part.kind);
        } else if text.is_empty() {
            in_head = false;
        } else {
            return None;
        }
    }
    None
}

pub(crate) fn write(parts: &[Part]) -> (String, Vec<u8>) {
    let boundary = "0123456789012345678901234567890123456789";
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"{0}\"; filename=\"{0}\"\r\ncontent-type: {1}\r\n\r\n",
                part.name, part.kind
            )
            .as_bytes(),
        );
        out.extend_from_slice(&part.bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--").as_bytes());
    (format!("multipart/form-data; boundary=\"{boundary}\""), out)
}
