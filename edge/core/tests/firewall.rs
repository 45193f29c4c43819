//! The corpora of `edge/corpus`: no good request is stopped, no attack passes. A fifth of each was set aside, by a
//! hash of the line, before the rules were tuned; it is judged here like the rest, and reported apart.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use domain::bytes::sha256;
use edge_core::firewall::{Head, Hit, Rule, Shadow, inspect_body, inspect_head};
use edge_core::proxy;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
struct Request {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

struct Line {
    file: String,
    text: String,
    request: Request,
}

impl Line {
    /// Of every five lines, one.
    fn is_held_out(&self) -> bool {
        sha256(self.text.as_bytes())[0].is_multiple_of(5)
    }

    fn hits(&self) -> Vec<Hit> {
        let request = &self.request;
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let headers: Vec<(String, String)> = request.headers.clone().into_iter().collect();
        let route = proxy::find(path);
        let head = Head {
            path,
            query,
            headers: &headers,
            class: route.map(|route| route.class),
        };
        let mut hits = inspect_head(head);
        if let Some(body) = &request.body {
            let json = request.headers["content-type"] == "application/json";
            hits.extend(inspect_body(
                head,
                body.as_bytes(),
                json && request.method == "POST",
            ));
        }
        hits
    }
}

fn corpus(kind: &str) -> Vec<Line> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(kind);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        for text in fs::read_to_string(&file).unwrap().lines() {
            lines.push(Line {
                file: file.file_stem().unwrap().to_string_lossy().into_owned(),
                request: serde_json::from_str(text).unwrap(),
                text: text.to_owned(),
            });
        }
    }
    lines
}

fn shown(line: &Line, hits: &[Hit]) -> String {
    format!("{}: {hits:?} {}\n", line.file, line.text)
}

/// Lines for which `wrong` holds: tuned, held out. The wrong ones of the second kind are not shown, only counted.
fn judge(lines: &[Line], wrong: impl Fn(&[Hit]) -> bool) -> (usize, usize, String) {
    let (mut tuned, mut held_out, mut report) = (0, 0, String::new());
    for line in lines {
        let hits = line.hits();
        if !wrong(&hits) {
            continue;
        }
        if line.is_held_out() {
            held_out += 1;
            if std::env::var_os("TWIST_SHOW_HELD_OUT").is_some() {
                report.push_str(&shown(line, &hits));
            }
        } else {
            tuned += 1;
            report.push_str(&shown(line, &hits));
        }
    }
    let apart = lines.iter().filter(|line| line.is_held_out()).count();
    let of = lines.len() - apart;
    writeln!(
        report,
        "{tuned} of {of} wrong, of those set aside {held_out} of {apart}"
    )
    .unwrap();
    (tuned, held_out, report)
}

#[test]
fn no_good_request_is_stopped() {
    let lines = corpus("benign");
    assert!(lines.len() >= 2_000, "{}", lines.len());
    let none = Shadow::default();
    let (tuned, held_out, report) = judge(&lines, |hits| none.decide(hits).is_some());
    assert_eq!((tuned, held_out), (0, 0), "{report}");
}

#[test]
fn no_attack_passes() {
    let lines = corpus("attack");
    assert!(lines.len() >= 1_000, "{}", lines.len());
    let none = Shadow::default();
    let (tuned, held_out, report) = judge(&lines, |hits| none.decide(hits).is_none());
    assert_eq!((tuned, held_out), (0, 0), "{report}");
}

#[test]
fn without_any_one_rule_an_attack_passes() {
    let lines: Vec<Vec<Hit>> = corpus("attack").iter().map(Line::hits).collect();
    for rule in Rule::ALL {
        // Countries are no part of these requests.
        if *rule == Rule::GeoBlock {
            continue;
        }
        let without = Shadow::of([*rule]);
        let through = lines
            .iter()
            .filter(|hits| without.decide(hits).is_none())
            .count();
        assert!(through > 0, "{} is needed by nothing", rule.id());
    }
}
