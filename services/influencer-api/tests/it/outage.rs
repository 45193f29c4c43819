use crate::support::{Api, Device, problem, segment};
use service::limit::RateLimits;
use std::future::Future;
use std::time::{Duration, Instant};
use testkit::{OwnPostgres, OwnRedis};
use uuid::Uuid;

/// Asks until the answer is `wanted`, for at most 20 seconds.
async fn until<F: Future<Output = u16>>(what: &str, wanted: u16, ask: impl Fn() -> F) {
    let start = Instant::now();
    loop {
        let status = ask().await;
        if status == wanted {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{what}: still {status}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_service_outlives_its_database_and_its_redis() {
    let (postgres, redis) = (OwnPostgres::new().await, OwnRedis::new().await);
    let limits = RateLimits::per_minute(100_000);
    let api = Api::on(&postgres.app_url, &redis.url, limits).await;
    let (user, device) = api.user_with_device().await;
    let ready = || async { api.get("/ready", "").await.status().as_u16() };
    until("ready", 200, ready).await;

    postgres.stop().await;
    until("not ready without PostgreSQL", 503, ready).await;
    let (id, items) = (Uuid::new_v4(), vec![device.item(&user, 1)]);
    let refused = api.deliver_raw(&segment(id, &items)).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(problem(refused, 503).await, "dependency.unavailable");
    for path in ["/me", "/me/balance", "/me/rewards", "/devices"] {
        let response = api.get(path, &user.token).await;
        assert_eq!(
            problem(response, 503).await,
            "dependency.unavailable",
            "{path}"
        );
    }
    assert_eq!(api.get("/health", "").await.status(), 200);

    postgres.start().await;
    until("ready again", 200, ready).await;
    assert_eq!(api.deliver(id, items).await.counted, 1);
    assert_eq!(api.balance(&user).await, 5_000_000_000);

    redis.stop().await;
    until("not ready without Redis", 503, ready).await;
    let response = api
        .post("/devices", &user.token, &Device::new().registration(&user))
        .await;
    // The instance counts alone.
    assert_eq!(response.status(), 201);
    assert_eq!(api.count("devices").await, 2);
    // Money facts do not hang on Redis.
    assert_eq!(
        api.deliver(Uuid::new_v4(), vec![device.item(&user, 2)])
            .await
            .counted,
        1
    );

    redis.start().await;
    until("ready again", 200, ready).await;
    let response = api
        .post("/devices", &user.token, &Device::new().registration(&user))
        .await;
    assert_eq!(response.status(), 201);
    api.assert_sound().await;
}

#[tokio::test]
async fn a_database_killed_in_mid_traffic_loses_and_doubles_nothing() {
    let (postgres, redis) = (OwnPostgres::new().await, OwnRedis::new().await);
    let limits = RateLimits::per_minute(100_000);
    let api = Api::on(&postgres.app_url, &redis.url, limits).await;
    let (user, device) = api.user_with_device().await;
    let segments: Vec<_> = (0..40u64)
        .map(|s| {
            let items: Vec<_> = (0..10).map(|n| device.item(&user, s * 10 + n)).collect();
            segment(Uuid::new_v4(), &items)
        })
        .collect();
    let deliver_all = async {
        for segment in &segments {
            // As the edge does: again, until it is acknowledged.
            until("acknowledged", 200, || async {
                api.deliver_raw(segment).await.status().as_u16()
            })
            .await;
        }
    };
    let kill = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        postgres.kill().await;
        postgres.start().await;
    };
    tokio::join!(deliver_all, kill);
    assert_eq!(api.balance(&user).await, 400 * 5_000_000_000);
    api.assert_sound().await;
}
