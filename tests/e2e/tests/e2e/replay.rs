//! Segments from the edge's copies, posted to the real api.

use crate::redelivery::segment;
use domain::reward::reward;
use e2e::{Turn, Walker};
use std::fs;
use std::path::Path;
use twistctl::edge::replay::{self, Chosen, Options, Source};
use twistctl::platform::Secrets;

fn options(turn: &Turn, home: &Path) -> Options {
    Options {
        source: Source::Folder(home.to_owned()),
        chosen: Chosen::default(),
        backend: turn.endpoints().api,
        key_id: Secrets::INGEST_KEY.to_owned(),
        secret: turn.ingest_secret().as_bytes().to_vec(),
        cursor: home.join("cursor"),
        dry: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_backend_never_got_is_counted_by_a_replay_and_by_the_next_one_not_again() {
    let turn = Turn::take().await;
    let walker = Walker::new(turn.client()).await;
    let home = tempfile::tempdir().unwrap();
    let day = home.path().join("edge/segments/e2e/2026-07-01");
    fs::create_dir_all(&day).unwrap();
    let body = serde_json::to_vec(&segment(&walker.vau())).unwrap();
    fs::write(day.join("000000000001-a.json"), body).unwrap();
    let balance = || async {
        let balance = walker.client.balance(&walker.session).await.unwrap();
        balance.available
    };

    // A secret that the api does not know ends it, and nothing is noted.
    let mut wrong = options(&turn, home.path());
    wrong.secret = b"another".to_vec();
    assert!(replay::run(&wrong).await.is_err());
    assert_eq!(balance().await.units(), 0);

    let options = options(&turn, home.path());
    assert!(replay::run(&options).await.unwrap());
    assert_eq!(balance().await, reward(50));
    let cursor = fs::read_to_string(&options.cursor).unwrap();
    assert_eq!(cursor, "edge/segments/e2e/2026-07-01/000000000001-a.json\n");
    fs::remove_file(&options.cursor).unwrap();
    assert!(replay::run(&options).await.unwrap());
    assert_eq!(balance().await, reward(50));
    turn.assert_ledger().await;
}
