//! Everything that a Redis holds, as text.

use std::pin::Pin;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// An answer of Redis, as text. What is not text is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reply {
    Text(String),
    Many(Vec<Reply>),
    Nothing,
}

impl Reply {
    fn texts(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Many(all) => all.into_iter().flat_map(Self::texts).collect(),
            Self::Nothing => Vec::new(),
        }
    }
}

/// Each key of the database that `url` names, with its value.
///
/// # Panics
/// When Redis does not answer, or a value is of a type that is not known here.
pub async fn contents(url: &str) -> Vec<(String, String)> {
    let mut redis = Connection::open(url).await;
    let keys = redis.ask(&["KEYS", "*"]).await.texts();
    let mut all = Vec::new();
    for key in keys {
        let kind = redis.ask(&["TYPE", &key]).await.texts().join("");
        let value = match kind.as_str() {
            "string" => redis.ask(&["GET", &key]).await,
            "hash" => redis.ask(&["HGETALL", &key]).await,
            "list" => redis.ask(&["LRANGE", &key, "0", "-1"]).await,
            "set" => redis.ask(&["SMEMBERS", &key]).await,
            "zset" => redis.ask(&["ZRANGE", &key, "0", "-1"]).await,
            "stream" => redis.ask(&["XRANGE", &key, "-", "+"]).await,
            // Expired between the two questions.
            "none" => continue,
            other => panic!("{key} is a {other}"),
        };
        all.push((key, value.texts().join(" ")));
    }
    all
}

/// Sets a key to a value, to see that it is found.
///
/// # Panics
/// When Redis does not answer.
pub async fn set(url: &str, key: &str, value: &str) {
    let mut redis = Connection::open(url).await;
    let reply = redis.ask(&["SET", key, value]).await;
    assert_eq!(reply, Reply::Text("OK".to_owned()));
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(url: &str) -> Self {
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

    async fn ask(&mut self, words: &[&str]) -> Reply {
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
