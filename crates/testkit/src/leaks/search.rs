//! What is planted in every request, and looking for it wherever a service writes.

use super::{Canaries, Finding, database, redis};
use crate::hostile::Planted;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};

/// A canary for each place of a request.
pub fn planted() -> Planted {
    let headers = [
        ("cookie", "canary-cookie-1c7e"),
        ("user-agent", "canary-user-agent-55aa"),
        ("x-forwarded-for", "203.0.113.197"),
        ("x-real-ip", "198.51.100.231"),
        ("forwarded", "for=192.0.2.177"),
        ("referer", "https://canary-referer-0b1d.example"),
        ("x-request-id", "canary request id 41d2"),
        ("x-api-key", "canary-api-key-93f0"),
    ];
    Planted {
        body: "canary-body-6d2f".to_owned(),
        path: "canary-path-e810".to_owned(),
        query: "canary-query-7b3a".to_owned(),
        credential: "canary-credential-2f90".to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

/// Watches for everything of `planted` but the path, which an error repeats to whoever sent it.
pub fn watch_planted(canaries: &mut Canaries, planted: &Planted) {
    canaries.watch("a string of a body", &planted.body);
    canaries.watch("a query", &planted.query);
    canaries.watch("a credential", &planted.credential);
    for (name, value) in &planted.headers {
        let value = value.strip_prefix("for=").unwrap_or(value);
        canaries.watch(name, value);
    }
}

/// The password in a URL.
pub fn password(url: &str) -> &str {
    let login = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'));
    let password = login.and_then(|(login, _)| login.split_once(':'));
    password
        .map(|(_, password)| password)
        .expect("a URL with a password")
}

/// What of `canaries` is in the database and in Redis.
pub async fn in_stores(
    canaries: &Canaries,
    owner: &DatabaseConnection,
    redis_url: &str,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (table, row) in database::contents(owner).await {
        found.extend(canaries.find(&table, &row));
    }
    for (key, value) in redis::contents(redis_url).await {
        found.extend(canaries.find("redis", &format!("{key} {value}")));
    }
    found
}

/// The same look finds what is there: in a text, a JSON and a binary column, and in Redis. `canaries` watch for all of
/// `planted`.
pub async fn assert_search_finds(
    canaries: &Canaries,
    planted: &Planted,
    owner: &DatabaseConnection,
    redis_url: &str,
) {
    let Planted {
        body, query, path, ..
    } = planted;
    let sql = format!(
        "CREATE TABLE planted (a text, b jsonb, c bytea); \
         INSERT INTO planted VALUES ('{body}', '{{\"x\": [\"{query}\"]}}', convert_to('{path}', 'UTF8'))"
    );
    let done = owner.execute_unprepared(&sql).await;
    done.expect("canaries can be planted");
    redis::set(redis_url, "planted", &planted.credential).await;
    let found = in_stores(canaries, owner, redis_url).await;
    let names: Vec<&str> = found.iter().map(|found| found.canary.as_str()).collect();
    for name in ["a string of a body", "a query", "a path", "a credential"] {
        assert!(names.contains(&name), "{name} is not found: {names:?}");
    }
}
