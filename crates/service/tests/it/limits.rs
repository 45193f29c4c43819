//! How often a caller may call.

use crate::issuer::claims;
use crate::world::{World, code, problem};
use contracts::token::AccessClaims;
use reqwest::{RequestBuilder, Response};
use service::access::{Routes, Rule};
use service::limit::{LimitConfig, Number, RateClass, RateLimits};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::OwnRedis;
use uuid::Uuid;

async fn served() -> &'static str {
    "served"
}

fn routes() -> Routes {
    Routes::new()
        .get("/nonce", Rule::public(RateClass::SignIn), served, |op| op)
        .get(
            "/thing",
            Rule::user(RateClass::Registration),
            served,
            |op| op,
        )
        .get("/other", Rule::user(RateClass::Write), served, |op| op)
        .get("/read", Rule::public(RateClass::Read), served, |op| op)
        .get("/pay", Rule::user(RateClass::Money), served, |op| op)
        .get("/free", Rule::public(RateClass::Unlimited), served, |op| op)
}

fn limit(limit: u32, block: u32) -> LimitConfig {
    LimitConfig {
        limit: Some(Number::clamped(limit)),
        period_seconds: None,
        block_seconds: Some(Number::clamped(block)),
    }
}

async fn world(limits: RateLimits) -> World {
    World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.limits = limits;
    })
    .await
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn number(response: &Response, name: &str) -> u64 {
    response.headers()[name].to_str().unwrap().parse().unwrap()
}

async fn keys(world: &World) -> Vec<String> {
    let mut all = redis(&world.redis_url, &["KEYS", "*"]).await;
    all.sort();
    all
}

/// The lines of a simple answer, from a connection of the test's own.
async fn redis(url: &str, command: &[&str]) -> Vec<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let url = reqwest::Url::parse(url).unwrap();
    let place = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = tokio::net::TcpStream::connect(place).await.unwrap();
    let database = url.path().trim_start_matches('/').to_owned();
    let database = if database.is_empty() { "0" } else { &database };
    let send = |parts: &[&str]| format!("{}\r\n", parts.join(" "));
    let all = [
        send(&["AUTH", url.password().unwrap()]),
        send(&["SELECT", database]),
        send(command),
        send(&["QUIT"]),
    ];
    stream.write_all(all.concat().as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text.lines()
        .filter(|line| !line.starts_with(['+', '*', '$']))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_caller_over_the_limit_is_told_when_to_come_back_and_others_go_on() {
    let world = world(RateLimits {
        registration: limit(3, 0),
        ..RateLimits::default()
    })
    .await;
    let (caller, other) = (world.token(), world.token());
    for left in [2, 1, 0] {
        let response = send(world.get("/thing").bearer_auth(&caller)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(number(&response, "ratelimit-limit"), 3);
        assert_eq!(number(&response, "ratelimit-remaining"), left);
        assert_eq!(response.headers()["ratelimit-policy"], "3;w=60");
        assert_eq!(number(&response, "x-ratelimit-limit"), 3);
        assert_eq!(number(&response, "x-ratelimit-remaining"), left);
    }
    let refused = send(world.get("/thing").bearer_auth(&caller)).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
    assert!((1..=20).contains(&number(&refused, "retry-after")));
    assert!((40..=60).contains(&number(&refused, "ratelimit-reset")));
    let reset = refused.headers()["x-ratelimit-reset"].to_str().unwrap();
    let reset = time::OffsetDateTime::parse(reset, &time::format_description::well_known::Rfc3339);
    let ahead = reset.unwrap() - time::OffsetDateTime::now_utc();
    assert!((30..=61).contains(&ahead.whole_seconds()), "{ahead}");
    let body = problem(refused).await;
    assert_eq!(body.code.as_str(), "rate.limited");
    assert!(body.retryable && body.retry_after_ms.is_some());

    assert_eq!(
        send(world.get("/thing").bearer_auth(&other)).await.status(),
        200
    );
    // Another class of the same caller.
    assert_eq!(
        send(world.get("/other").bearer_auth(&caller))
            .await
            .status(),
        200
    );
    let metrics = world.metrics().await;
    assert!(
        metrics.contains(r#"rate_limited_total{class="registration"}"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_user_is_one_caller_in_every_session_and_under_the_alias() {
    let world = world(RateLimits {
        registration: limit(2, 0),
        ..RateLimits::default()
    })
    .await;
    let uid = Uuid::new_v4();
    let session = || {
        world.issuer.token(&AccessClaims {
            uid,
            sid: Uuid::new_v4(),
            ..claims()
        })
    };
    for (path, status) in [
        ("/thing", 200),
        ("/api/v1/thing", 200),
        ("/thing", 429),
        ("/api/v1/thing", 429),
    ] {
        let response = send(world.get(path).bearer_auth(session())).await;
        assert_eq!(response.status(), status, "{path}");
    }
}

#[tokio::test]
async fn the_121st_sign_in_of_a_minute_is_refused_and_the_address_is_blocked_as_long_as_the_original_did()
 {
    let world = world(RateLimits::default()).await;
    for n in 1..=120 {
        assert_eq!(send(world.get("/nonce")).await.status(), 200, "{n}");
    }
    for _ in 0..3 {
        let refused = send(world.get("/nonce")).await;
        assert_eq!(refused.status(), 429);
        assert!((590..=600).contains(&number(&refused, "retry-after")));
    }
    // The block is for what is counted by address in this class.
    assert_eq!(send(world.get("/read")).await.status(), 200);
    let keys = keys(&world).await;
    let key = keys.iter().find(|key| key.contains("sign_in")).unwrap();
    let ttl = redis(&world.redis_url, &["PTTL", key]).await;
    let ttl: i64 = ttl[0].trim_start_matches(':').parse().unwrap();
    assert!((590_000..=600_000).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn a_block_ends() {
    let world = world(RateLimits {
        sign_in: LimitConfig {
            period_seconds: Some(Number::clamped(1)),
            ..limit(2, 1)
        },
        ..RateLimits::default()
    })
    .await;
    let mut statuses = BTreeMap::new();
    for _ in 0..3 {
        *statuses
            .entry(send(world.get("/nonce")).await.status().as_u16())
            .or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(200, 2), (429, 1)]));
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while send(world.get("/nonce")).await.status() != 200 {
        assert!(tokio::time::Instant::now() < until, "blocked for ever");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn fifty_at_once_do_not_get_past_the_limit() {
    let world = world(RateLimits {
        registration: limit(10, 0),
        ..RateLimits::default()
    })
    .await;
    let token = world.token();
    let calls: Vec<_> = (0..50)
        .map(|_| tokio::spawn(world.get("/thing").bearer_auth(&token).send()))
        .collect();
    let mut admitted = 0;
    for call in calls {
        admitted += u32::from(call.await.unwrap().unwrap().status() == 200);
    }
    // One is there again after six seconds.
    assert!((10..=11).contains(&admitted), "{admitted}");
}

#[tokio::test]
async fn what_a_client_sends_is_in_no_key_and_every_key_ends() {
    // A key goes when its caller has the whole limit again: here not before it was looked at.
    let world = world(RateLimits {
        read: limit(1, 0),
        ..RateLimits::default()
    })
    .await;
    let uid = Uuid::new_v4();
    let token = world.issuer.token(&AccessClaims { uid, ..claims() });
    for path in ["/nonce", "/read", "/thing", "/free"] {
        let request = world
            .get(path)
            .bearer_auth(&token)
            .header("x-forwarded-for", "canary")
            .header("x-request-id", "canary-canary");
        assert_eq!(send(request).await.status(), 200);
    }
    let found = keys(&world).await;
    assert_eq!(found.len(), 3, "{found:?}");
    let hidden = [
        "canary",
        "127.0.0.1",
        &uid.to_string(),
        &uid.simple().to_string(),
    ];
    for key in &found {
        for secret in hidden {
            assert!(!key.contains(secret), "{key}");
        }
        let ttl = redis(&world.redis_url, &["PTTL", key]).await;
        let ttl: i64 = ttl[0].trim_start_matches(':').parse().unwrap();
        assert!((1..=60_000).contains(&ttl), "{key}: {ttl}");
    }
}

#[tokio::test]
async fn a_limit_is_of_who_calls_and_not_of_what_a_header_says() {
    let limits = RateLimits {
        read: limit(2, 0),
        ..RateLimits::default()
    };
    let spoofed = async |world: &World| {
        let mut statuses = Vec::new();
        for n in 0..4 {
            let request = world
                .get("/read")
                .header("x-forwarded-for", format!("198.51.100.{n}"))
                .header("cf-connecting-ip", format!("198.51.100.{n}"))
                .header("x-real-ip", format!("198.51.100.{n}"));
            statuses.push(send(request).await.status().as_u16());
        }
        statuses
    };
    assert_eq!(spoofed(&world(limits).await).await, [200, 200, 429, 429]);
    let behind = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.limits = limits;
        setup.http.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
    })
    .await;
    assert_eq!(spoofed(&behind).await, [200; 4]);
    // What stands before the proxy's own hop is invented.
    for (n, status) in [200, 200, 429].into_iter().enumerate() {
        let request = behind
            .get("/read")
            .header("x-forwarded-for", format!("198.51.100.{n}, 203.0.113.1"));
        assert_eq!(send(request).await.status(), status);
    }
}

#[tokio::test]
async fn without_redis_half_the_rate_holds_and_no_money_moves() {
    let own = OwnRedis::new().await;
    let url = own.url.clone();
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.limits = RateLimits {
            registration: limit(6, 0),
            ..RateLimits::default()
        };
        setup.redis_url = Some(url);
    })
    .await;
    let caller = world.token();
    assert_eq!(
        send(world.get("/thing").bearer_auth(&caller))
            .await
            .status(),
        200
    );
    assert_eq!(
        send(world.get("/pay").bearer_auth(&caller)).await.status(),
        200
    );

    own.kill().await;
    let mut admitted = 0;
    for _ in 0..8 {
        admitted += u32::from(
            send(world.get("/thing").bearer_auth(&caller))
                .await
                .status()
                == 200,
        );
    }
    assert_eq!(admitted, 3);
    for _ in 0..3 {
        let started = tokio::time::Instant::now();
        let refused = send(world.get("/pay").bearer_auth(&caller)).await;
        assert!(refused.headers().contains_key("retry-after"));
        assert_eq!(
            problem(refused).await.code.as_str(),
            "dependency.unavailable"
        );
        assert!(started.elapsed() < Duration::from_secs(1));
    }
    assert_eq!(code(world.get("/thing")).await, "auth.token_missing");

    own.start().await;
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while send(world.get("/pay").bearer_auth(&caller)).await.status() != 200 {
        assert!(
            tokio::time::Instant::now() < until,
            "money never moves again"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_redis_that_forgets_its_scripts_is_taught_them_again() {
    let own = OwnRedis::new().await;
    let url = own.url.clone();
    let world = World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.redis_url = Some(url);
        setup.limits = RateLimits {
            registration: limit(3, 0),
            ..RateLimits::default()
        };
    })
    .await;
    let caller = world.token();
    for status in [200, 200, 200, 429] {
        redis(&world.redis_url, &["SCRIPT", "FLUSH"]).await;
        let response = send(world.get("/thing").bearer_auth(&caller)).await;
        assert_eq!(response.status(), status);
    }
}

/// Calls of `url`'s Redis that ran a script.
async fn script_calls(url: &str) -> u64 {
    let stats = redis(url, &["INFO", "commandstats"]).await;
    let line = stats.iter().find(|line| line.contains("cmdstat_evalsha:"));
    let calls = line.and_then(|line| line.split_once("calls=")?.1.split(',').next()?.parse().ok());
    calls.unwrap_or(0)
}

async fn of_own_redis(own: &OwnRedis, read: u32) -> World {
    let url = own.url.clone();
    World::start_with(routes(), Routes::new(), vec![], |setup| {
        setup.redis_url = Some(url);
        setup.limits = RateLimits {
            read: LimitConfig {
                period_seconds: Some(Number::clamped(3_600)),
                ..limit(read, 0)
            },
            ..RateLimits::default()
        };
    })
    .await
}

async fn admitted(world: &World, calls: u32) -> u32 {
    let mut admitted = 0;
    for _ in 0..calls {
        let response = send(world.get("/read")).await;
        assert!([200, 429].contains(&response.status().as_u16()));
        admitted += u32::from(response.status() == 200);
    }
    admitted
}

#[tokio::test]
async fn instances_share_a_limit_of_thousands_though_they_count_ahead_of_redis() {
    let own = OwnRedis::new().await;
    let (one, other) = (
        of_own_redis(&own, 1_000).await,
        of_own_redis(&own, 1_000).await,
    );
    // Both know of the caller before the other has used most of the limit.
    let before = admitted(&one, 50).await + admitted(&other, 50).await;
    assert_eq!(before, 100);
    let mut sum = before;
    for world in [&one, &other].into_iter().cycle().take(30) {
        sum += admitted(world, 50).await;
    }
    // Over it is what an instance admits before it hears of the other: however slow both are, no more than a row of
    // calls at each. Were nothing shared, all 1,600 calls would be admitted.
    assert!((1_000..=1_100).contains(&sum), "{sum}");
    let refused = send(other.get("/read")).await;
    assert_eq!(refused.status(), 429);
    assert!(number(&refused, "retry-after") >= 1);
    assert_eq!(number(&refused, "ratelimit-remaining"), 0);
}

#[tokio::test]
async fn a_caller_of_a_limit_of_thousands_is_told_what_is_left_of_it() {
    let own = OwnRedis::new().await;
    let world = of_own_redis(&own, 2_000).await;
    for left in (1_990..2_000).rev() {
        let response = send(world.get("/read")).await;
        assert_eq!(number(&response, "ratelimit-remaining"), left);
    }
}

#[tokio::test]
async fn redis_is_not_asked_for_every_read() {
    let own = OwnRedis::new().await;
    let world = of_own_redis(&own, 1_000_000).await;
    let start = tokio::time::Instant::now();
    assert_eq!(admitted(&world, 500).await, 500);
    // They may all have been answered before it was told of the first.
    let mut asked = 0;
    while asked == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        asked = script_calls(&own.url).await;
    }
    // Ten times a second, however many reads there are and however long they take.
    let most = start.elapsed().as_millis() / 100 + 2;
    assert!(u128::from(asked) <= most, "{asked} of {most}");
}

#[tokio::test]
async fn when_redis_is_lost_reads_go_on_at_half_the_rate_and_are_shared_again_afterwards() {
    let own = OwnRedis::new().await;
    let world = of_own_redis(&own, 1_000).await;
    assert_eq!(admitted(&world, 10).await, 10);
    own.kill().await;
    // The first to be told of is what shows that Redis is away.
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    let mut sum = 0;
    loop {
        let response = send(world.get("/read")).await;
        sum += u32::from(response.status() == 200);
        if response.status() == 429 {
            break;
        }
        assert!(tokio::time::Instant::now() < until, "{sum} were admitted");
    }
    // Some of them before that was known.
    assert!((500..1_000).contains(&sum), "{sum}");
    own.start().await;
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while send(world.get("/read")).await.status() != 200 {
        assert!(tokio::time::Instant::now() < until, "refused for ever");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
