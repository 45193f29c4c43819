//! Servers that answer, lie, hang or never stop.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Answers every connection with `handle`, as long as the test runs. Returns the URL.
pub(crate) fn serve(handle: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handle = std::sync::Arc::new(handle);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            thread::spawn(move || handle(stream));
        }
    });
    url
}

/// Reads the request's head; returns its first line.
pub(crate) fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    head.lines().next().unwrap_or_default().to_owned()
}

/// Always the same answer.
pub(crate) fn fixed(status: &'static str, body: &str) -> String {
    let body = body.to_owned();
    serve(move |mut stream| {
        let line = request(&mut stream);
        let (status, body) = if line.starts_with("GET /version ") {
            (status, body.as_str())
        } else {
            ("404 Not Found", "")
        };
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    })
}

/// What a good service says.
pub(crate) fn version(service: &str, program: &[u8]) -> Value {
    json!({
        "service": service,
        "version": "0.1.0",
        "revision": null,
        "binary": {
            "sha256": super::image::sha256(program),
            "size": program.len(),
            "storePath": null,
        },
    })
}
