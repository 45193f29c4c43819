//! `twistctl audit verify`: an auditor with a copy of the bucket, or with the bucket, is told of every damage.

use crate::kit::http::serve;
use crate::kit::{Answer, answer, twistctl};
use attest::SigningKey;
use edge_core::audit::segment::{self, Header};
use edge_core::audit::{Append, Day, Hash, Head, Root, SignedRoot};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

type Objects = BTreeMap<String, Vec<u8>>;

const FIRST_DAY: u64 = 20_785;

/// Three days of two segments of three records; the first two days are signed.
fn log(key: &SigningKey) -> Objects {
    let mut objects = Objects::new();
    let (mut head, mut before, mut root_before) = (Head::START, Hash::ZERO, Hash::ZERO);
    for day in (0..3).map(|n| Day::new(FIRST_DAY + n)) {
        let first_of_day = head.seq + 1;
        for _ in 0..2 {
            let first = head.seq + 1;
            let records = json!({ "records": (0..3).map(|n| json!({
                "at": n, "actor": "security-worker", "action": "firewall.block", "object": format!("rule-{n}"),
                "result": "blocked", "details": { "route": "/api/v1/vau" },
            })).collect::<Vec<_>>() });
            let append = Append::parse(records.to_string().as_bytes()).unwrap();
            let lines: Vec<String> = append
                .records
                .into_iter()
                .map(|record| serde_json::to_string(&head.append(record)).unwrap())
                .collect();
            let header = Header::new(day, first, 3, before);
            let body = segment::body(&header, &lines).into_bytes();
            before = segment::hash(&body);
            objects.insert(header.key(), body);
        }
        if day.number() < FIRST_DAY + 2 {
            let root = Root {
                day,
                first_seq: first_of_day,
                last_seq: head.seq,
                segments: 2,
                segment_hash: before,
                prev_root_hash: root_before,
            };
            root_before = root.hash();
            objects.insert(root.key(), signed(&root, key));
        }
    }
    objects
}

fn signed(root: &Root, key: &SigningKey) -> Vec<u8> {
    let text = key.sign(&root.canonical()).to_text();
    let root = json!({ "root": root, "signature": text.trim() });
    serde_json::from_value::<SignedRoot>(root.clone()).unwrap();
    root.to_string().into_bytes()
}

struct Copy {
    home: tempfile::TempDir,
    key: SigningKey,
    objects: Objects,
}

impl Copy {
    fn new() -> Self {
        let key = SigningKey::from_seed(&[7; 32]);
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("key.pem"), key.public().to_pem()).unwrap();
        let objects = log(&key);
        Self { home, key, objects }
    }

    fn keys(&self) -> Vec<String> {
        self.objects.keys().cloned().collect()
    }

    fn folder(&self) -> PathBuf {
        let folder = self.home.path().join("copy");
        let _ = fs::remove_dir_all(&folder);
        for (key, body) in &self.objects {
            let path = folder.join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, body).unwrap();
        }
        folder
    }

    fn verify(&self, more: &[&str]) -> Answer {
        let folder = self.folder();
        let mut arguments = vec![folder.to_str().unwrap(), "--key", "key.pem"];
        arguments.extend(more);
        run(self.home.path(), &arguments)
    }

    /// The answer has to be no, and to name the flaw.
    fn refused(&self, flaw: &str) {
        let answer = self.verify(&[]);
        assert_eq!(answer.code, 1, "{flaw}: {answer:?}");
        assert!(
            answer.stdout.contains(&format!("✗ {flaw} ")),
            "{flaw}: {answer:?}"
        );
    }
}

fn run(home: &Path, arguments: &[&str]) -> Answer {
    let mut command = twistctl(home);
    command.args(["audit", "verify"]).args(arguments);
    command
        .env_remove("CLOUDFLARE_API_TOKEN")
        .env_remove("CLOUDFLARE_ACCOUNT_ID");
    answer(command)
}

#[test]
fn a_whole_log_is_whole() {
    let copy = Copy::new();
    let answer = copy.verify(&["--through", "2026-11-29"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("records          18"), "{answer:?}");
    assert!(
        answer.stdout.contains("2 days, the last is 2026-11-29"),
        "{answer:?}"
    );
    let since = Copy {
        objects: copy
            .objects
            .clone()
            .into_iter()
            .filter(|(key, _)| !key.contains("11-28"))
            .collect(),
        ..Copy::new()
    };
    assert_eq!(since.verify(&["--since", "2026-11-29"]).code, 0);
    assert_eq!(since.verify(&[]).code, 1);
}

#[test]
fn every_damaged_copy_is_refused_with_the_name_of_the_damage() {
    let damage = |flaw: &str, work: &dyn Fn(&mut Copy)| {
        let mut copy = Copy::new();
        work(&mut copy);
        copy.refused(flaw);
    };
    let edit = |copy: &mut Copy, place: usize, work: &dyn Fn(&mut Vec<String>)| {
        let key = copy.keys()[place].clone();
        let text = String::from_utf8(copy.objects[&key].clone()).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        work(&mut lines);
        let text = format!("{}\n", lines.join("\n"));
        copy.objects.insert(key, text.into_bytes());
    };
    damage("missing", &|copy| {
        let key = copy.keys()[1].clone();
        copy.objects.remove(&key);
    });
    damage("missing", &|copy| {
        edit(copy, 0, &|lines| drop(lines.remove(2)));
    });
    damage("reordered", &|copy| {
        edit(copy, 0, &|lines| lines.swap(1, 3));
    });
    damage("reordered", &|copy| {
        let (one, two) = (copy.keys()[0].clone(), copy.keys()[1].clone());
        let (first, second) = (copy.objects[&one].clone(), copy.objects[&two].clone());
        copy.objects.insert(one, second);
        copy.objects.insert(two, first);
    });
    damage("altered", &|copy| {
        edit(copy, 2, &|lines| {
            lines[1] = lines[1].replace("blocked", "allowed");
        });
    });
    damage("truncated", &|copy| {
        edit(copy, 5, &|lines| drop(lines.pop()));
    });
    damage("truncated", &|copy| {
        let body = copy.objects.values_mut().nth(5).unwrap();
        body.truncate(body.len() - 1);
    });
    damage("truncated", &|copy| {
        copy.objects
            .retain(|key, _| !key.contains("11-30") && !key.ends_with("10"));
    });
    damage("forged root", &|copy| {
        let body = copy.objects.get_mut("audit/roots/2026-11-28").unwrap();
        let root = serde_json::from_slice::<SignedRoot>(body).unwrap().root;
        *body = signed(&root, &SigningKey::from_seed(&[8; 32]));
    });
    damage("missing root", &|copy| {
        drop(copy.objects.remove("audit/roots/2026-11-29"));
    });
    damage("foreign", &|copy| {
        drop(copy.objects.insert("notes".to_owned(), Vec::new()));
    });
}

#[test]
fn a_log_whose_newest_days_were_taken_away_is_not_taken_for_whole() {
    let mut copy = Copy::new();
    copy.objects.retain(|key, _| key.contains("11-28"));
    assert_eq!(copy.verify(&[]).code, 0);
    let answer = copy.verify(&["--through", "2026-11-29"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    copy.objects.clear();
    fs::create_dir_all(copy.folder()).unwrap();
    let answer = run(copy.home.path(), &["copy"]);
    assert_eq!(answer.code, 1, "{answer:?}");
}

#[test]
fn without_a_key_it_is_said_that_signatures_were_not_looked_at() {
    let copy = Copy::new();
    let folder = copy.folder();
    let answer = run(copy.home.path(), &[folder.to_str().unwrap()]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("not looked at"), "{answer:?}");
    assert_eq!(copy.key.public().id().len(), 16);
}

/// The API as Cloudflare documents it: pages of keys with a cursor, objects by their key.
fn api(objects: Objects) -> String {
    serve(move |mut stream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let (status, body) = if !head.contains("authorization: bearer t0ken") {
            ("403 Forbidden", br#"{"success":false}"#.to_vec())
        } else if let Some(query) = path.strip_prefix("/v4/accounts/acc/r2/buckets/logs/objects?") {
            let from = query
                .split("cursor=")
                .nth(1)
                .map_or(0, |n| n.parse::<usize>().unwrap());
            let page: Vec<_> = objects
                .keys()
                .skip(from)
                .take(2)
                .map(|key| json!({ "key": key }))
                .collect();
            let more = from + 2 < objects.len();
            let info = json!({ "cursor": if more { (from + 2).to_string() } else { String::new() }, "is_truncated": more });
            (
                "200 OK",
                json!({ "success": true, "result": page, "result_info": info })
                    .to_string()
                    .into_bytes(),
            )
        } else {
            let key = path
                .strip_prefix("/v4/accounts/acc/r2/buckets/logs/objects/")
                .unwrap_or_default();
            match objects.get(&key.replace("%2f", "/")) {
                Some(body) => ("200 OK", body.clone()),
                None => ("404 Not Found", Vec::new()),
            }
        };
        let length = body.len();
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let _ = stream.write_all(&body);
    })
}

#[test]
fn the_bucket_itself_is_walked_page_by_page() {
    let copy = Copy::new();
    let url = format!("{}/v4", api(copy.objects.clone()));
    let ask = |url: &str, token: &str| {
        let arguments = [
            "--bucket",
            "logs",
            "--account",
            "acc",
            "--api-token",
            token,
            "--api-url",
            url,
            "--key",
            "key.pem",
        ];
        run(copy.home.path(), &arguments)
    };
    let answer = ask(&url, "t0ken");
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(answer.stdout.contains("records          18"), "{answer:?}");
    let answer = ask(&url, "wrong");
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stderr.contains("may not read"), "{answer:?}");
    assert!(!format!("{answer:?}").contains("wrong"), "{answer:?}");
    let mut damaged = copy.objects.clone();
    damaged.remove("audit/2026-11-29/000000000007");
    let answer = ask(&format!("{}/v4", api(damaged)), "t0ken");
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stdout.contains("✗ missing"), "{answer:?}");
}
