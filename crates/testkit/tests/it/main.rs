//! The test tools against the real servers.

#![allow(clippy::unwrap_used, reason = "a test may stop on the spot")]

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::{CutProxy, OwnPostgres, OwnRedis, TestDb, TestRedis, assert_ledger_invariants};
use tokio::net::TcpStream;

fn sql(text: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, text)
}

async fn users(db: &impl ConnectionTrait) -> i64 {
    db.query_one_raw(sql("select count(*) from users"))
        .await
        .unwrap()
        .unwrap()
        .try_get_by_index(0)
        .unwrap()
}

const ADD: &str = "insert into users (id) values (gen_random_uuid())";

#[tokio::test]
async fn two_tests_never_see_each_others_rows() {
    let (one, two) = tokio::join!(TestDb::new(), TestDb::new());
    let (one, two) = (one.connect().await, two.connect().await);
    one.execute_raw(sql(ADD)).await.unwrap();
    assert_eq!((users(&one).await, users(&two).await), (1, 0));
    assert_ledger_invariants(&one).await;
}

#[tokio::test]
#[should_panic(expected = "the ledger is broken")]
async fn a_ledger_that_does_not_balance_is_noticed() {
    let db = TestDb::new().await;
    let owner = db.connect_as_owner().await;
    // A transaction without entries: the guards would keep a service from writing it.
    owner
        .execute_raw(sql(
            "insert into ledger_tx (id, kind, source_ref, fingerprint, effective_at) \
             values (gen_random_uuid(), 'test', 'test', sha256('test'), now())",
        ))
        .await
        .unwrap();
    assert_ledger_invariants(&owner).await;
}

#[tokio::test]
async fn two_tests_never_share_a_redis_database() {
    let (one, two) = tokio::join!(TestRedis::new(), TestRedis::new());
    assert_ne!(one.url, two.url);
}

#[tokio::test]
async fn a_server_of_ones_own_can_be_lost_and_found() {
    let postgres = OwnPostgres::new().await;
    postgres
        .connect()
        .await
        .execute_raw(sql(ADD))
        .await
        .unwrap();
    postgres.kill().await;
    assert!(
        TcpStream::connect(("127.0.0.1", postgres.port()))
            .await
            .is_err()
    );
    postgres.start().await;
    assert_eq!(users(&postgres.connect().await).await, 1);

    let redis = OwnRedis::new().await;
    redis.stop().await;
    assert!(
        TcpStream::connect(("127.0.0.1", redis.port()))
            .await
            .is_err()
    );
    redis.start().await;
    assert!(
        TcpStream::connect(("127.0.0.1", redis.port()))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_cut_connection_ends_and_a_mended_one_works() {
    let db = TestDb::new().await;
    let port: u16 = db
        .app_url
        .rsplit_once(':')
        .unwrap()
        .1
        .split_once('/')
        .unwrap()
        .0
        .parse()
        .unwrap();
    let proxy = CutProxy::to(port).await;
    let through = TestDb::connect_to(&proxy.instead_of(port, &db.app_url)).await;
    assert_eq!(users(&through).await, 0);
    proxy.cut();
    assert!(through.execute_raw(sql("select 1")).await.is_err());
    proxy.mend();
    assert_eq!(users(&through).await, 0);
}
