//! `auth-service keys`, as an operator types it.

use crate::keys::kids;
use crate::process::{binary, with_settings};
use crate::world::{Wallet, World, code};
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use std::process::Output;
use std::time::Duration;
use tokio::time::Instant;

/// Runs the program and waits for its end.
pub(crate) async fn keys(world: &World, arguments: &[&str], more: &[(&str, &str)]) -> Output {
    let mut command = binary();
    with_settings(&mut command, &world.db.app_url, &world.redis.url);
    command.arg("keys").args(arguments);
    command.envs(more.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// What it printed; it must have worked.
pub(crate) async fn done(world: &World, arguments: &[&str], more: &[(&str, &str)]) -> String {
    let output = keys(world, arguments, more).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn refused(world: &World, arguments: &[&str]) -> String {
    let output = keys(world, arguments, &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn first_word(line: &str) -> &str {
    line.split(' ').next().unwrap()
}

async fn state(world: &World, kid: &str) -> String {
    let sql = format!("SELECT state FROM signing_keys WHERE kid = '{kid}'");
    world.text(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_announced_once_and_takes_over_early_only_when_verifiers_have_seen_it() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let old = kids(&world.service).await.remove(0);
    let nothing = refused(&world, &["rotate", "--now"]).await;
    assert!(nothing.contains("no key is announced"), "{nothing}");

    let told = done(&world, &["rotate"], &[]).await;
    assert!(told.contains("is announced and signs from"), "{told}");
    let new = first_word(&told).to_owned();
    assert_eq!(kids(&world.service).await, [old.clone(), new.clone()]);
    let again = refused(&world, &["rotate"]).await;
    assert!(again.contains("announced already"), "{again}");
    let soon = refused(&world, &["rotate", "--now"]).await;
    assert!(soon.contains("Try again in 3"), "{soon}");
    assert_eq!(state(&world, &old).await, "active");

    // Five minutes later everyone has asked.
    let later = "UPDATE signing_keys SET created_at = created_at - interval '400 seconds' WHERE state = 'announced'";
    world.database.execute_unprepared(later).await.unwrap();
    let told = done(&world, &["rotate", "--now"], &[]).await;
    assert_eq!(first_word(&told), new);
    assert_eq!(state(&world, &new).await, "active");
    assert_eq!(state(&world, &old).await, "retiring");
    let end = "SELECT (extract(epoch FROM retire_at - now()))::bigint FROM signing_keys WHERE state = 'retiring'";
    let left = world.number(end).await;
    assert!(
        (950..=962).contains(&left),
        "900 + 30 + 2 + 30 of margin, not {left}"
    );

    let table = done(&world, &["list"], &[]).await;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(
        table.contains("active") && table.contains("retiring"),
        "{table}"
    );
    assert!(!table.contains(&"ab".repeat(8)), "no secret in the table");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_and_operators_who_rotate_at_once_announce_one_key() {
    let world = World::start().await;
    let (a, b, c, d) = tokio::join!(
        keys(&world, &["rotate"], &[]),
        keys(&world, &["rotate"], &[]),
        keys(&world, &["rotate"], &[]),
        keys(&world, &["rotate"], &[])
    );
    let worked = [a, b, c, d].iter().filter(|o| o.status.success()).count();
    assert_eq!(worked, 1);
    let announced = "SELECT count(*) FROM signing_keys WHERE state = 'announced'";
    assert_eq!(world.number(announced).await, 1);
}

/// The lock is one for all instances of a database.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_keys_waits_for_another_that_is_being_made() {
    let world = World::start().await;
    let other = world.database.begin().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(8392292375222774629)";
    other.execute_unprepared(lock).await.unwrap();
    let rotate = async {
        let output = keys(&world, &["rotate"], &[]).await;
        assert!(output.status.success(), "{output:?}");
    };
    let release = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let deadline = Instant::now() + Duration::from_secs(20);
        while world.number(waiting).await == 0 {
            assert!(Instant::now() < deadline, "it never waited");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let announced = "SELECT count(*) FROM signing_keys WHERE state = 'announced'";
        assert_eq!(world.number(announced).await, 0);
        other.rollback().await.unwrap();
    };
    tokio::join!(rotate, release);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_key_is_out_at_once_and_its_tokens_with_it() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let leaked = kids(&world.service).await.remove(0);
    let token = world.service.sign_in(&Wallet::new(1)).await;
    let ask = async || {
        let path = "/auth/sessions";
        world
            .service
            .call(Method::GET, path, &token.access_token)
            .await
    };
    assert_eq!(ask().await.status(), 200);
    for bad in [
        vec!["rotate", "--emergency"],
        vec!["rotate", "--emergency", "--kid", &leaked],
        vec!["rotate", "--kid", &leaked],
        vec![
            "rotate",
            "--now",
            "--emergency",
            "--kid",
            &leaked,
            "--reason",
            "x",
        ],
    ] {
        let output = keys(&world, &bad, &[]).await;
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
    }
    let unknown = [
        "rotate",
        "--emergency",
        "--kid",
        "nonsense",
        "--reason",
        "drill",
    ];
    assert!(refused(&world, &unknown).await.contains("there is no key"));
    // A name may begin like an option.
    let dash = ["rotate", "--emergency", "--kid", "-x", "--reason", "drill"];
    assert!(refused(&world, &dash).await.contains("there is no key -x"));

    let emergency = [
        "rotate",
        "--emergency",
        "--kid",
        &leaked,
        "--reason",
        "drill",
    ];
    let told = done(&world, &emergency, &[]).await;
    assert!(told.contains("signs from now on"), "{told}");
    assert_eq!(state(&world, &leaked).await, "retired");
    let gone =
        "SELECT length(sealed_private_key)::bigint FROM signing_keys WHERE state = 'retired'";
    assert_eq!(world.number(gone).await, 0);
    assert!(!kids(&world.service).await.contains(&leaked));
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let response = ask().await;
        if response.status() == 401 {
            let code = code(response).await;
            let says = ["auth.token_invalid", "auth.session_revoked"];
            assert!(says.contains(&code), "{code}");
            break;
        }
        assert!(Instant::now() < deadline, "still believed after 2 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The session itself goes on, with the new key.
    let next = world.service.refresh(&token.refresh_token).await;
    assert_eq!(next.status(), 200);
    assert!(
        done(&world, &emergency, &[])
            .await
            .contains("was retired before")
    );
    let active = "SELECT count(*) FROM signing_keys WHERE state = 'active'";
    assert_eq!(world.number(active).await, 1);
}

/// Of an incident's key.
async fn emergency(world: &World, kid: &str, more: &[(&str, &str)]) -> Output {
    let arguments = ["rotate", "--emergency", "--kid", kid, "--reason", "drill"];
    keys(world, &arguments, more).await
}

async fn announce_one(world: &World) -> String {
    let told = done(world, &["rotate"], &[]).await;
    first_word(&told).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_with_a_stale_sealing_key_changes_nothing() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let leaked = kids(&world.service).await.remove(0);
    let announced = announce_one(&world).await;
    let stale = "cd".repeat(32);
    let stale = [("TWIST_AUTH__KEY_ENCRYPTION_KEY", stale.as_str())];
    let output = emergency(&world, &leaked, &stale).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("key_encryption_key opens none of the keys in use"),
        "{told}"
    );
    assert_eq!(state(&world, &leaked).await, "active");
    assert_eq!(state(&world, &announced).await, "announced");
    assert_eq!(world.number("SELECT count(*) FROM signing_keys").await, 2);
    world.service.sign_in(&Wallet::new(1)).await;
    // What makes no key needs no sealing key.
    let output = emergency(&world, &announced, &stale).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(kids(&world.service).await, [leaked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_emergency_the_key_that_verifiers_know_already_takes_over() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let leaked = kids(&world.service).await.remove(0);
    let announced = announce_one(&world).await;
    let later = "UPDATE signing_keys SET created_at = created_at - interval '400 seconds' WHERE state = 'announced'";
    world.database.execute_unprepared(later).await.unwrap();
    let output = emergency(&world, &leaked, &[]).await;
    let told = String::from_utf8(output.stdout).unwrap();
    let expected = format!("{announced} signs from now on");
    assert!(told.contains(&expected), "{told}");
    assert_eq!(state(&world, &announced).await, "active");
    assert_eq!(state(&world, &leaked).await, "retired");
    assert_eq!(kids(&world.service).await, [announced]);
    world.service.sign_in(&Wallet::new(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_key_is_replaced_by_a_new_one_while_the_announced_one_is_not_known_yet() {
    let world = World::start_with(|config| config.key_refresh_seconds = 0).await;
    let damaged = kids(&world.service).await.remove(0);
    let announced = announce_one(&world).await;
    let damage =
        "UPDATE signing_keys SET sealed_private_key = decode('00', 'hex') WHERE state = 'active'";
    world.database.execute_unprepared(damage).await.unwrap();
    let output = emergency(&world, &damaged, &[]).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(state(&world, &damaged).await, "retired");
    assert_eq!(state(&world, &announced).await, "announced");
    let published = kids(&world.service).await;
    assert_eq!(published.len(), 2, "{published:?}");
    assert!(!published.contains(&damaged));
    world.service.sign_in(&Wallet::new(1)).await;
}
