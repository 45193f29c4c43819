//! A client that sends bytes, whatever they mean.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Longer than anything takes that ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What came back before the connection was closed; the test fails when it stays open.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The other side may have answered and closed before it took everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(
        read.is_ok(),
        "left open after {}",
        String::from_utf8_lossy(bytes)
    );
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of the answers in `text`.
pub(crate) fn statuses(text: &str) -> Vec<u16> {
    text.split("HTTP/1.")
        .skip(1)
        .filter_map(|answer| answer.get(2..5)?.parse().ok())
        .collect()
}

/// A connection over which one request is sent after the other.
pub(crate) struct KeepAlive(TcpStream);

/// An answer, and whether the connection ends with it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) last: bool,
}

impl KeepAlive {
    pub(crate) async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self(TcpStream::connect(address).await?))
    }

    /// `None` when there was no whole answer.
    pub(crate) async fn get(&mut self, path: &str) -> Option<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.ok()?;
        let mut read = Vec::new();
        loop {
            if self.0.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
            let text = String::from_utf8_lossy(&read);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let head = head.to_ascii_lowercase();
            let length: usize = head
                .split_once("content-length: ")?
                .1
                .lines()
                .next()?
                .parse()
                .ok()?;
            if body.len() >= length {
                return Some(Answer {
                    status: head.get(9..12)?.parse().ok()?,
                    last: head.contains("connection: close"),
                });
            }
        }
    }
}
