//! Ending sessions, and who may end whose.

use crate::world::{Service, Wallet, World, code, config};
use contracts::auth::{SessionList, SessionsEnded, TokenResponse};
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

async fn sessions(service: &Service, token: &TokenResponse) -> SessionList {
    let response = service
        .call(Method::GET, "/auth/sessions", &token.access_token)
        .await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn current(service: &Service, token: &TokenResponse) -> Uuid {
    let sessions = sessions(service, token).await.sessions;
    let mut current = sessions.into_iter().filter(|session| session.current);
    let id = current.next().unwrap().id;
    assert_eq!(current.next(), None);
    id
}

/// Neither token of the session does anything any more.
async fn assert_over(service: &Service, token: &TokenResponse) {
    let response = service
        .call(Method::GET, "/auth/sessions", &token.access_token)
        .await;
    assert_eq!(response.status(), 401);
    assert_eq!(code(response).await, "auth.session_revoked");
    let response = service.refresh(&token.refresh_token).await;
    assert_eq!(code(response).await, "auth.refresh_invalid");
}

async fn delete(service: &Service, token: &TokenResponse, id: &str) -> reqwest::Response {
    let path = format!("/auth/sessions/{id}");
    service
        .call(Method::DELETE, &path, &token.access_token)
        .await
}

#[tokio::test]
async fn signing_out_ends_both_tokens_of_this_session_alone() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let (phone, laptop) = (
        world.service.sign_in(&wallet).await,
        world.service.sign_in(&wallet).await,
    );
    let out = world
        .service
        .call(Method::POST, "/auth/logout", &phone.access_token)
        .await;
    assert_eq!(out.status(), 204);
    assert_eq!(out.bytes().await.unwrap().len(), 0);
    assert_over(&world.service, &phone).await;
    assert_eq!(sessions(&world.service, &laptop).await.sessions.len(), 1);
    let row = "SELECT count(*) FROM sessions WHERE revoke_reason = 'logout' AND revoked_at <= now() \
               AND sealed_key IS NULL";
    assert_eq!(world.number(row).await, 1);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_user_alone() {
    let world = World::start().await;
    let (wallet, other) = (Wallet::new(1), Wallet::new(2));
    let mine = [
        world.service.sign_in(&wallet).await,
        world.service.sign_in(&wallet).await,
        world.service.sign_in(&wallet).await,
    ];
    let theirs = world.service.sign_in(&other).await;
    let out = world
        .service
        .call(Method::POST, "/auth/logout-all", &mine[1].access_token)
        .await;
    assert_eq!(out.status(), 200);
    assert_eq!(
        out.json::<SessionsEnded>().await.unwrap(),
        SessionsEnded { ended: 3 }
    );
    for token in &mine {
        assert_over(&world.service, token).await;
    }
    assert_eq!(sessions(&world.service, &theirs).await.sessions.len(), 1);
}

#[tokio::test]
async fn the_list_shows_what_is_open_and_which_one_asks() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let first = world.service.sign_in(&wallet).await;
    let second = world.service.sign_in(&wallet).await;
    world.service.sign_in(&Wallet::new(2)).await;
    let list = sessions(&world.service, &second).await.sessions;
    assert_eq!(list.len(), 2);
    assert_eq!(
        [list[0].current, list[1].current],
        [true, false],
        "newest first"
    );
    assert_eq!(list[1].id, current(&world.service, &first).await);
    assert_eq!(list[0].wallet_address, wallet.address());
    let idle = "UPDATE sessions SET last_used_at = now() - interval '15 days' WHERE id = ";
    let idle = format!("{idle}'{}'", list[1].id);
    world.database.execute_unprepared(&idle).await.unwrap();
    assert_eq!(sessions(&world.service, &second).await.sessions.len(), 1);
}

#[tokio::test]
async fn a_user_ends_another_of_their_sessions_and_may_say_so_twice() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let (lost, kept) = (
        world.service.sign_in(&wallet).await,
        world.service.sign_in(&wallet).await,
    );
    let id = current(&world.service, &lost).await.to_string();
    for _ in 0..2 {
        assert_eq!(delete(&world.service, &kept, &id).await.status(), 204);
    }
    assert_over(&world.service, &lost).await;
    let own = current(&world.service, &kept).await.to_string();
    assert_eq!(delete(&world.service, &kept, &own).await.status(), 204);
    assert_over(&world.service, &kept).await;
}

#[tokio::test]
async fn somebody_elses_session_is_not_found_and_stays_open() {
    let world = World::start().await;
    let (mine, theirs) = (
        world.service.sign_in(&Wallet::new(1)).await,
        world.service.sign_in(&Wallet::new(2)).await,
    );
    let id = current(&world.service, &theirs).await.to_string();
    let unknown = Uuid::now_v7().to_string();
    for id in [&id, &unknown] {
        let refused = delete(&world.service, &mine, id).await;
        assert_eq!(refused.status(), 404);
        assert_eq!(code(refused).await, "not_found");
    }
    for bad in ["nonsense", "%00", "..%2f..", "'%20OR%201=1--"] {
        let refused = delete(&world.service, &mine, bad).await;
        assert_eq!(refused.status(), 400, "{bad}");
        assert_eq!(code(refused).await, "validation.failed", "{bad}");
    }
    assert_eq!(current(&world.service, &theirs).await.to_string(), id);
}

#[tokio::test]
async fn a_session_ended_on_one_instance_is_refused_by_the_other_within_two_seconds() {
    let world = World::start().await;
    let other = Service::start(&config(&world.db.app_url, &world.redis.url)).await;
    let token = world.service.sign_in(&Wallet::new(1)).await;
    assert_eq!(sessions(&other, &token).await.sessions.len(), 1);
    let out = world
        .service
        .call(Method::POST, "/auth/logout", &token.access_token)
        .await;
    assert_eq!(out.status(), 204);
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let response = other
            .call(Method::GET, "/auth/sessions", &token.access_token)
            .await;
        if response.status() == 401 {
            assert_eq!(code(response).await, "auth.session_revoked");
            break;
        }
        assert!(Instant::now() < deadline, "still believed after 2 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_sign_in_beyond_the_limit_ends_the_oldest_session() {
    let world = World::start().await;
    let wallet = Wallet::new(1);
    let mut tokens = Vec::new();
    for _ in 0..22 {
        tokens.push(world.service.sign_in(&wallet).await);
    }
    assert_over(&world.service, &tokens[0]).await;
    assert_over(&world.service, &tokens[1]).await;
    assert_eq!(
        sessions(&world.service, &tokens[2]).await.sessions.len(),
        20
    );
    let reason = "SELECT count(*) FROM sessions WHERE revoke_reason = 'too_many'";
    assert_eq!(world.number(reason).await, 2);
}

#[tokio::test]
async fn an_operator_ends_the_sessions_of_a_user_and_nobody_else_does() {
    let world = World::start().await;
    let (user, operator) = (Wallet::new(1), Wallet::new(2));
    let theirs = [
        world.service.sign_in(&user).await,
        world.service.sign_in(&user).await,
    ];
    let uid = "SELECT user_id::text FROM wallets WHERE address = ";
    let uid = world.text(&format!("{uid}'{}'", user.address())).await;
    let path = format!("/admin/users/{uid}/logout");
    let own = world.service.sign_in(&operator).await;
    let refused = world
        .service
        .call(Method::POST, &path, &own.access_token)
        .await;
    assert_eq!(code(refused).await, "permission.denied");
    assert_eq!(sessions(&world.service, &theirs[0]).await.sessions.len(), 2);

    let promote = format!(
        "UPDATE users SET roles = '{{user,operator}}' \
         WHERE id = (SELECT user_id FROM wallets WHERE address = '{}')",
        operator.address()
    );
    world.database.execute_unprepared(&promote).await.unwrap();
    for expected in [2, 0] {
        let done = world
            .service
            .call(Method::POST, &path, &own.access_token)
            .await;
        assert_eq!(done.status(), 200);
        let ended: SessionsEnded = done.json().await.unwrap();
        assert_eq!(ended.ended, expected);
    }
    for token in &theirs {
        assert_over(&world.service, token).await;
    }
    for (bad, status) in [(Uuid::now_v7().to_string(), 404), ("me".to_owned(), 400)] {
        let path = format!("/admin/users/{bad}/logout");
        let refused = world
            .service
            .call(Method::POST, &path, &own.access_token)
            .await;
        assert_eq!(refused.status(), status);
    }
}

/// More than are removed at once.
#[tokio::test]
async fn a_session_that_is_long_over_is_removed_and_no_other() {
    let world = World::start().await;
    let open = world.service.sign_in(&Wallet::new(1)).await;
    let rows = |number: u32, revoked: &str, expires: &str| {
        format!(
            "INSERT INTO sessions (id, user_id, wallet_address, created_at, revoked_at, expires_at) \
             SELECT gen_random_uuid(), user_id, wallet_address, now() - interval '90 days', {revoked}, {expires} \
             FROM (SELECT * FROM sessions WHERE sealed_key IS NOT NULL LIMIT 1) AS one, generate_series(1, {number})"
        )
    };
    let days = |days: i32| format!("now() - interval '{days} days'");
    for (number, revoked, expires) in [
        (1_100, days(31), days(31)),
        (1, days(31), days(-1)),
        (1, "NULL".to_owned(), days(31)),
        // These stay.
        (1, days(29), days(29)),
        (1, days(29), days(-1)),
        (1, "NULL".to_owned(), days(29)),
        (1, "NULL".to_owned(), days(-1)),
    ] {
        let sql = rows(number, &revoked, &expires);
        let made = world.database.execute_unprepared(&sql).await.unwrap();
        assert_eq!(made.rows_affected(), u64::from(number));
    }
    let old = "SELECT count(*) FROM sessions WHERE least(revoked_at, expires_at) < now() - interval '30 days'";
    // An instance looks when it starts, and every ten minutes.
    let other = Service::start(&config(&world.db.app_url, &world.redis.url)).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while world.number(old).await > 0 {
        assert!(Instant::now() < deadline, "old sessions are still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.number("SELECT count(*) FROM sessions").await, 5);
    assert_eq!(other.refresh(&open.refresh_token).await.status(), 200);
}

/// Every instance asks twice a second: it must not read all sessions for it.
#[tokio::test]
async fn what_was_ended_lately_is_found_by_an_index_among_many_sessions() {
    let world = World::start().await;
    world.service.sign_in(&Wallet::new(1)).await;
    let fill = "INSERT INTO sessions (id, user_id, wallet_address, expires_at, revoked_at) \
                SELECT gen_random_uuid(), user_id, wallet_address, now() + interval '1 day', \
                       CASE WHEN n % 2 = 0 THEN now() - n * interval '1 minute' END \
                FROM sessions, generate_series(1, 20000) AS n";
    world.database.execute_unprepared(fill).await.unwrap();
    let owner = world.db.connect_as_owner().await;
    owner.execute_unprepared("ANALYZE sessions").await.unwrap();
    let plan = "EXPLAIN (FORMAT JSON) SELECT session_id FROM session_revocations \
                WHERE revoked_at > now() - make_interval(secs => 5)";
    let row = owner.query_one_raw(sea_orm::Statement::from_string(
        sea_orm::DbBackend::Postgres,
        plan,
    ));
    let plan: serde_json::Value = row.await.unwrap().unwrap().try_get_by_index(0).unwrap();
    let plan = plan.to_string();
    assert!(plan.contains("sessions_by_revocation"), "{plan}");
    assert!(!plan.contains("Seq Scan"), "{plan}");
}
