//! Redis' protocol, for tests that say things no client of ours says.

use std::pin::Pin;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// What Redis at `url` answers to one command, flattened.
///
/// # Panics
/// When it does not answer, or with an error.
pub async fn ask(url: &str, words: &[&str]) -> Vec<String> {
    Connection::open(url).await.ask(words).await.texts()
}

/// An answer of Redis, as text. What is not text is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Text(String),
    Many(Vec<Reply>),
    Nothing,
}

impl Reply {
    pub(crate) fn texts(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Many(all) => all.into_iter().flat_map(Self::texts).collect(),
            Self::Nothing => Vec::new(),
        }
    }
}

/// A connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) async fn open(url: &str) -> Self {
        // redis://[user]:password@host:port/number
        let rest = url.strip_prefix("redis://").expect("a redis:// URL");
        let (login, rest) = rest.split_once('@').unwrap_or(("", rest));
        let (address, number) = rest.split_once('/').unwrap_or((rest, "0"));
        let stream = TcpStream::connect(address).await.expect("reach Redis");
        let mut redis = Self(BufReader::new(stream));
        if let Some((_, password)) = login.split_once(':') {
            redis.ask(&["AUTH", password]).await;
        }
        redis.ask(&["SELECT", number]).await;
        redis
    }

    pub(crate) async fn ask(&mut self, words: &[&str]) -> Reply {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text.extend(["$", &word.len().to_string(), "\r\n", word, "\r\n"]);
        }
        self.0.write_all(text.as_bytes()).await.expect("ask Redis");
        self.read().await
    }

    fn read(&mut self) -> Pin<Box<dyn Future<Output = Reply> + Send + '_>> {
        Box::pin(async move {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("hear from Redis");
            let line = line.trim_end();
            let (kind, rest) = line.split_at_checked(1).expect("an answer of Redis");
            let length = || rest.parse::<i64>().expect("a length");
            match kind {
                "+" | ":" => Reply::Text(rest.to_owned()),
                "$" => {
                    let Ok(length) = usize::try_from(length()) else {
                        return Reply::Nothing;
                    };
                    let mut bytes = vec![0; length + 2];
                    self.0.read_exact(&mut bytes).await.expect("a whole value");
                    bytes.truncate(length);
                    Reply::Text(String::from_utf8_lossy(&bytes).into_owned())
                }
                "*" => {
                    let mut all = Vec::new();
                    for _ in 0..length() {
                        all.push(self.read().await);
                    }
                    Reply::Many(all)
                }
                _ => panic!("Redis: {line}"),
            }
        })
    }
}
