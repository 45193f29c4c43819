//! A day that the backend missed is posted again from the copies, each segment until it is acknowledged.

use crate::kit::cloudflare::{ACCOUNT, Cloudflare, TOKEN};
use crate::kit::http::serve;
use crate::kit::{Answer, answer, twistctl};
use domain::EpochMs;
use domain::http_hmac::SignedRequest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const SECRET: &str = "a-secret-of-forty-characters-or-so-......";
const PATH: &str = "/internal/v1/vau-batches";

/// A backend that checks signatures and counts each segment's items once.
#[derive(Default)]
struct Backend {
    seen: BTreeSet<String>,
    posts: Vec<String>,
    /// Statuses to answer with before anything else.
    answers: Vec<u16>,
    /// A segment that is always refused.
    refused: Option<String>,
}

fn handle(backend: &mut Backend, stream: &mut TcpStream) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    let timestamp = EpochMs::new(header("x-timestamp")?.parse().ok()?).ok()?;
    let signed = SignedRequest {
        method: "POST",
        path: PATH,
        timestamp,
        body: &body,
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis();
    let now = EpochMs::new(u64::try_from(now).unwrap()).unwrap();
    let holds = header("x-key-id") == Some("edge-1")
        && signed
            .verify(SECRET.as_bytes(), header("x-hmac-signature")?, now)
            .is_ok()
        && head.starts_with(&format!("POST {PATH} HTTP/1.1\r\n"));
    let segment: Value = serde_json::from_slice(&body).unwrap_or_default();
    let id = segment["segmentId"].as_str().unwrap_or_default().to_owned();
    backend.posts.push(id.clone());
    let status = if !holds {
        401
    } else if let Some(status) = backend.answers.pop() {
        status
    } else if backend.refused.as_ref() == Some(&id) {
        422
    } else {
        200
    };
    let count = segment["items"].as_array().map_or(0, Vec::len);
    let new = status == 200 && backend.seen.insert(id.clone());
    let (counted, duplicates) = if new { (count, 0) } else { (0, count) };
    let receipt = json!({
        "segmentId": id, "counted": counted, "duplicates": duplicates,
        "quarantined": [{ "index": 0, "reason": "unreadable" }],
    });
    let body = if status == 200 {
        receipt.to_string()
    } else {
        String::new()
    };
    write!(
        stream,
        "HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

struct World {
    home: TempDir,
    backend: Arc<Mutex<Backend>>,
    url: String,
}

/// The segment number `number`, of three items, and its id.
fn segment(number: u32) -> (String, String) {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    // Spaces and an order of its own: the bytes that are posted are the bytes that were kept.
    let body = format!(
        "{{\"version\": 1, \"shard\":\"shard-0\",  \"segmentId\":\"{id}\",\"items\":[{{}}, {{}},3]}}"
    );
    (id, body)
}

impl World {
    fn new() -> Self {
        let backend = Arc::new(Mutex::new(Backend::default()));
        let shared = backend.clone();
        let url = serve(move |mut stream| {
            handle(&mut shared.lock().unwrap(), &mut stream);
        });
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

fn ids(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| segment(*number).0).collect()
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
