//! A day that the backend missed is posted again from the copies, each segment until it is acknowledged.

use crate::kit::backend::{Backend, SECRET, ids, segment, serve_backend};
use crate::kit::cloudflare::{ACCOUNT, Cloudflare, TOKEN};
use crate::kit::{Answer, answer, twistctl};
use std::fs;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

struct World {
    home: TempDir,
    backend: Arc<Mutex<Backend>>,
    url: String,
}

impl World {
    fn new() -> Self {
        let (backend, url) = serve_backend();
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("secret"), format!("{SECRET}\n")).unwrap();
        Self { home, backend, url }
    }

    /// Puts segments where the edge would: numbers to days.
    fn keep(&self, numbers: &[(u32, &str)]) {
        for (number, day) in numbers {
            let path = self
                .home
                .path()
                .join(format!("copy/edge/segments/shard-0/{day}/{number}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, segment(*number).1).unwrap();
        }
    }

    fn replay(&self, more: &[&str]) -> Answer {
        let mut args = vec!["--folder", "copy"];
        args.extend(more);
        self.replay_from(&args)
    }

    fn replay_from(&self, args: &[&str]) -> Answer {
        let mut command = twistctl(self.home.path());
        command
            .args([
                "edge",
                "replay",
                "--backend",
                &self.url,
                "--key-id",
                "edge-1",
            ])
            .args(["--secret-file", "secret", "--cursor", "cursor"])
            .args(args);
        let answer = answer(command);
        assert!(!format!("{answer:?}").contains(SECRET));
        answer
    }

    fn posts(&self) -> Vec<String> {
        std::mem::take(&mut self.backend.lock().unwrap().posts)
    }

    fn backend(&self, change: impl FnOnce(&mut Backend)) {
        change(&mut self.backend.lock().unwrap());
    }
}

#[test]
fn every_segment_is_posted_signed_in_its_order_and_the_receipts_are_added_up() {
    let world = World::new();
    world.keep(&[(10, "2026-07-01"), (9, "2026-07-01"), (11, "2026-07-02")]);
    let dry = world.replay(&["--dry-run"]);
    assert!(
        dry.stdout
            .contains("3 segments, 0 of them acknowledged earlier, 3 to post"),
        "{dry:?}"
    );
    assert!(world.posts().is_empty());
    let answer = world.replay(&[]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(world.posts(), ids(&[9, 10, 11]));
    assert!(
        answer.stdout.contains("3 segments acknowledged: 9 VAUs counted, 0 had been counted before, 3 set aside; 0 segments refused"),
        "{answer:?}"
    );
}

#[test]
fn it_goes_on_where_it_stopped_and_a_late_segment_is_not_left_out() {
    let world = World::new();
    world.keep(&[(1, "2026-07-01"), (3, "2026-07-01")]);
    assert_eq!(world.replay(&[]).code, 0);
    world.posts();
    world.keep(&[(2, "2026-07-01"), (4, "2026-07-01")]);
    let answer = world.replay(&[]);
    assert_eq!(world.posts(), ids(&[2, 4]), "{answer:?}");
    assert!(
        answer.stdout.contains("2 of them acknowledged earlier"),
        "{answer:?}"
    );
    // Without the cursor everything is posted again, and nothing is counted twice.
    fs::remove_file(world.home.path().join("cursor")).unwrap();
    let answer = world.replay(&[]);
    assert!(
        answer
            .stdout
            .contains("0 VAUs counted, 12 had been counted before"),
        "{answer:?}"
    );
}

#[test]
fn a_backend_that_goes_away_in_the_middle_costs_nothing() {
    let world = World::new();
    world.keep(&[(1, "2026-07-01"), (2, "2026-07-01"), (3, "2026-07-01")]);
    // From the end: the first is taken, then it is gone for good.
    world.backend(|backend| backend.answers = vec![503, 503, 503, 503, 503, 503, 503, 200]);
    let answer = world.replay(&[]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stderr
            .contains("the same command goes on from there"),
        "{answer:?}"
    );
    assert!(
        answer.stdout.contains("1 segments acknowledged"),
        "{answer:?}"
    );
    assert_eq!(world.posts().len(), 5);
    world.backend(|backend| backend.answers = vec![503]);
    let answer = world.replay(&[]);
    assert_eq!(answer.code, 0, "a passing fault is waited out: {answer:?}");
    assert!(
        answer.stdout.contains("2 segments acknowledged"),
        "{answer:?}"
    );
}

#[test]
fn a_bad_segment_does_not_hold_up_the_good_ones() {
    let world = World::new();
    world.keep(&[(1, "2026-07-01"), (2, "2026-07-01"), (3, "2026-07-01")]);
    fs::write(
        world
            .home
            .path()
            .join("copy/edge/segments/shard-0/2026-07-01/2"),
        "{torn",
    )
    .unwrap();
    world.backend(|backend| backend.refused = Some(segment(1).0));
    let answer = world.replay(&[]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(
        answer.stdout.contains("/1: the backend answers 422"),
        "{answer:?}"
    );
    assert!(answer.stdout.contains("/2: it is no segment"), "{answer:?}");
    assert!(
        answer.stdout.contains("1 segments acknowledged"),
        "{answer:?}"
    );
    world.posts();
    // They are not forgotten.
    world.backend(|backend| backend.refused = None);
    world.replay(&[]);
    assert_eq!(world.posts(), ids(&[1]));
}

#[test]
fn a_wrong_secret_stops_at_once() {
    let world = World::new();
    world.keep(&[(1, "2026-07-01"), (2, "2026-07-01")]);
    fs::write(world.home.path().join("secret"), "another").unwrap();
    let answer = world.replay(&[]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.stderr.contains("the secret is another one"),
        "{answer:?}"
    );
    assert_eq!(world.posts().len(), 1);
    assert_eq!(
        fs::read_to_string(world.home.path().join("cursor")).unwrap(),
        ""
    );
}

#[test]
fn days_are_chosen() {
    let world = World::new();
    world.keep(&[(1, "2026-07-01"), (2, "2026-07-02"), (3, "2026-07-03")]);
    world.replay(&["--since", "2026-07-02", "--until", "2026-07-02"]);
    assert_eq!(world.posts(), ids(&[2]));
    let answer = world.replay(&["--since", "yesterday"]);
    assert_eq!(answer.code, 2, "{answer:?}");
}

#[test]
fn a_cursor_that_was_torn_is_mended_and_another_file_is_left_alone() {
    let world = World::new();
    world.keep(&[(1, "2026-07-01"), (2, "2026-07-01")]);
    let cursor = world.home.path().join("cursor");
    fs::write(&cursor, "edge/segments/shard-0/2026-07-01/1\nedge/segm").unwrap();
    assert_eq!(world.replay(&[]).code, 0);
    assert_eq!(world.posts(), ids(&[2]));
    let text = fs::read_to_string(&cursor).unwrap();
    assert_eq!(
        text,
        "edge/segments/shard-0/2026-07-01/1\nedge/segments/shard-0/2026-07-01/2\n"
    );
    fs::write(&cursor, "my notes\nmore\n").unwrap();
    let answer = world.replay(&[]);
    assert!(
        answer.stderr.contains("no cursor of a replay"),
        "{answer:?}"
    );
    assert_eq!(fs::read_to_string(&cursor).unwrap(), "my notes\nmore\n");
}

#[test]
fn segments_are_read_out_of_the_bucket_page_by_page() {
    let world = World::new();
    let cloudflare = Cloudflare::start();
    cloudflare.provide(&[], &["edge-archive-staging"]);
    for number in 0..8 {
        let mut state = cloudflare.state();
        let bucket = state.objects.get_mut("edge-archive-staging").unwrap();
        bucket.insert(
            format!("edge/segments/shard-0/2026-07-01/{number:08}"),
            segment(number).1.into_bytes(),
        );
        bucket.insert(format!("edge/audit/{number}"), b"{}".to_vec());
    }
    let mut command = twistctl(world.home.path());
    command
        .args([
            "edge",
            "replay",
            "--backend",
            &world.url,
            "--key-id",
            "edge-1",
        ])
        .args(["--cursor", "cursor", "--bucket", "edge-archive-staging"])
        .env("TWIST_BACKEND_HMAC_SECRET", SECRET)
        .env("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
        .env("CLOUDFLARE_API_TOKEN", TOKEN)
        .env("CLOUDFLARE_API_BASE_URL", &cloudflare.url);
    let answer = answer(command);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(world.posts(), ids(&[0, 1, 2, 3, 4, 5, 6, 7]));
}
