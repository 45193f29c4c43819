//! PostgreSQL or Redis away for a while, and back without anybody restarting the services.

use client::{ClientError, Wallet};
use contracts::Code;
use e2e::{Tally, Turn, Walker, eventually};
use std::sync::{Arc, Mutex};
use twistctl::platform::Part;

fn unavailable<T>(result: &Result<T, ClientError>) -> bool {
    matches!(result, Err(error) if error.code() == Some(Code::DependencyUnavailable))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_sign_in_says_503_and_works_again_when_it_is_back() {
    let mut turn = Turn::take().await;
    let client = turn.client();
    let services = [turn.pid(Part::Auth), turn.pid(Part::Api)];
    let wallet = Wallet::generate().unwrap();
    turn.stop(Part::Redis);
    eventually("auth is not ready", || async { !turn.is_ready(Part::Auth) }).await;
    let refused = client.nonce(wallet.address()).await;
    assert!(unavailable(&refused), "{refused:?}");
    turn.start(Part::Redis);
    eventually("sign-in works", || async {
        client.sign_in(&wallet).await.is_ok()
    })
    .await;
    eventually("both are ready", || async {
        turn.is_ready(Part::Auth) && turn.is_ready(Part::Api)
    })
    .await;
    assert_eq!(services, [turn.pid(Part::Auth), turn.pid(Part::Api)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_reads_say_503_and_no_accepted_vau_is_lost() {
    let mut turn = Turn::take().await;
    let walker = Walker::new(turn.client()).await;
    let services = [turn.pid(Part::Auth), turn.pid(Part::Api)];
    let accepted = Arc::new(Mutex::new(Tally::default()));
    walker.submit_many(20, Arc::clone(&accepted)).await;
    turn.stop(Part::Postgres);
    let refused = walker.client.balance(&walker.session).await;
    assert!(unavailable(&refused), "{refused:?}");
    eventually("neither is ready", || async {
        !turn.is_ready(Part::Auth) && !turn.is_ready(Part::Api)
    })
    .await;
    // The edge goes on without it.
    walker.submit_many(60, Arc::clone(&accepted)).await;
    turn.start(Part::Postgres);
    let tally = accepted.lock().unwrap().clone();
    walker.balance_becomes(&tally).await;
    eventually("both are ready", || async {
        turn.is_ready(Part::Auth) && turn.is_ready(Part::Api)
    })
    .await;
    assert_eq!(services, [turn.pid(Part::Auth), turn.pid(Part::Api)]);
    turn.assert_ledger().await;
}
