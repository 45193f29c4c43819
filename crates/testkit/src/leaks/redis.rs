//! Everything that a Redis holds, as text.

use crate::resp::{Connection, Reply};

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
