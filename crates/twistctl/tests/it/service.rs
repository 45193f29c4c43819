//! `--service`: endpoints that are good, lie, hang, or are something else.

use crate::kit::http::{fixed, request, serve, version};
use crate::kit::release::REVISION;
use crate::kit::{Answer, Release, noise};
use serde_json::{Value, json};
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

fn program() -> Vec<u8> {
    noise(150_000, 1)
}

fn good() -> Value {
    version("auth-service", &program())
}

fn ask(body: &Value) -> Answer {
    let url = fixed("200 OK", &body.to_string());
    Release::new().verify(&["--service", &url])
}

#[test]
fn a_service_that_states_the_manifests_hash_is_equal_and_that_it_said_so_itself_is_said() {
    let mut body = good();
    body["revision"] = json!(REVISION);
    let mut newer = good();
    newer["addedLater"] = json!(true);
    for body in [good(), body, newer] {
        let answer = ask(&body);
        assert_eq!(answer.code, 0, "{answer:?}");
        let row = answer.row("auth-service");
        assert_eq!(row["evidence"], "reported by the service itself");
    }
}

#[test]
fn whatever_does_not_fit_the_manifest_is_a_difference() {
    type Edit = fn(&mut Value);
    let cases: &[(&str, Edit)] = &[
        ("another program", |body| {
            body["binary"]["sha256"] = json!("0".repeat(64));
        }),
        ("size is 5", |body| body["binary"]["size"] = json!(5)),
        ("version is 0.2.0", |body| body["version"] = json!("0.2.0")),
        ("revision is ffff", |body| {
            body["revision"] = json!("f".repeat(40));
        }),
        ("the manifest names no such service", |body| {
            body["service"] = json!("stranger");
        }),
        ("the manifest names no such service", |body| {
            body["service"] = json!("twistctl");
        }),
        // The right hash of the wrong service.
        ("another program", |body| {
            body["service"] = json!("influencer-api");
        }),
    ];
    for (said, edit) in cases {
        let mut body = good();
        edit(&mut body);
        let answer = ask(&body);
        assert_eq!(answer.code, 1, "{said}: {answer:?}");
        assert!(answer.stdout.contains(said), "{said}: {}", answer.stdout);
    }
}

const STORE: &str = "/nix/store/0lq27aw82xlpndx1ld5i4szq598a9zjc-auth-service-0.1.0";

#[test]
fn a_store_path_is_compared_when_both_sides_state_one() {
    let release = Release::new();
    release.change_manifest(|draft| {
        draft.artifacts[0].store_path = Some(STORE.try_into().unwrap());
    });
    for (stated, code) in [
        (json!(null), 0),
        (json!(STORE), 0),
        (json!(STORE.replace("0lq", "1lq")), 1),
    ] {
        let mut body = good();
        body["binary"]["storePath"] = stated;
        let url = fixed("200 OK", &body.to_string());
        let answer = release.verify(&["--service", &url]);
        assert_eq!(answer.code, code, "{answer:?}");
    }
}

#[test]
fn a_revision_is_no_contradiction_when_the_manifest_itself_has_none_for_certain() {
    let mut body = good();
    body["revision"] = json!("f".repeat(40));
    let url = fixed("200 OK", &body.to_string());
    let release = Release::new();
    release.change_manifest(|draft| draft.source.dirty = true);
    assert_eq!(release.verify(&["--service", &url]).code, 0);
    release.change_manifest(|draft| draft.source.revision = None);
    assert_eq!(release.verify(&["--service", &url]).code, 0);
}

#[test]
fn a_service_at_the_address_of_another_is_a_difference() {
    let release = Release::new();
    let url = fixed("200 OK", &good().to_string());
    let right = format!("auth-service={url}");
    assert_eq!(release.verify(&["--service", &right]).code, 0);
    let wrong = format!("influencer-api={url}");
    let answer = release.verify(&["--service", &wrong]);
    assert_eq!(answer.code, 1);
    assert!(answer.stdout.contains("it is another service"));
}

#[test]
fn an_address_below_a_path_is_asked_there() {
    let url = fixed("200 OK", &good().to_string());
    let release = Release::new();
    let answer = release.verify(&["--service", &format!("{url}/")]);
    assert_eq!(answer.code, 0);
    let answer = release.verify(&["--service", &format!("{url}/api/v1")]);
    assert_eq!(answer.code, 5, "this server knows /version only");
    assert!(answer.stdout.contains("404"));
}

#[test]
fn what_is_no_answer_of_a_service_was_not_checked() {
    let mut silent = good();
    silent.as_object_mut().unwrap().remove("revision");
    let mut short = good();
    short["binary"]["sha256"] = json!("00");
    let mut store = good();
    store["binary"]["storePath"] = json!("/etc/passwd");
    for (status, body, said) in [
        ("500 Internal Server Error", good().to_string(), "500"),
        ("404 Not Found", String::new(), "404"),
        ("204 No Content", String::new(), "204"),
        (
            "200 OK",
            "<html>hello</html>".into(),
            "not that of a service",
        ),
        ("200 OK", String::new(), "not that of a service"),
        ("200 OK", "[]".into(), "not that of a service"),
        ("200 OK", silent.to_string(), "missing field `revision`"),
        ("200 OK", short.to_string(), "hexadecimal"),
        ("200 OK", store.to_string(), "store path"),
        ("200 OK", format!("{}{}", good(), good()), "trailing"),
        ("200 OK", " ".repeat(70_000), "larger than 64 KiB"),
    ] {
        let url = fixed(status, &body);
        let answer = Release::new().verify(&["--service", &url]);
        assert_eq!(answer.code, 5, "{said}: {answer:?}");
        assert!(answer.stdout.contains(said), "{said}: {}", answer.stdout);
        assert!(answer.stdout.contains(&url), "the address is named");
    }
}

#[test]
fn a_service_that_does_not_run_was_not_checked() {
    let answer = Release::new().verify(&["--service", "http://127.0.0.1:1"]);
    assert_eq!(answer.code, 5);
    assert!(answer.stdout.contains("cannot be reached"), "{answer:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = fixed("200 OK", &good().to_string());
    let url = serve(move |mut stream| {
        request(&mut stream);
        let _ = write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: {elsewhere}/version\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    });
    let answer = Release::new().verify(&["--service", &url]);
    assert_eq!(answer.code, 5);
    assert!(answer.stdout.contains("302"));
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let url = serve(|mut stream| {
        request(&mut stream);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b' '; 4096]).is_ok() {}
    });
    let started = Instant::now();
    let answer = Release::new().verify(&["--service", &url]);
    assert_eq!(answer.code, 5);
    assert!(answer.stdout.contains("larger than 64 KiB"), "{answer:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn an_answer_that_breaks_off_was_not_checked() {
    let url = serve(|mut stream| {
        request(&mut stream);
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{{\"serv"
        );
    });
    let answer = Release::new().verify(&["--service", &url]);
    assert_eq!(answer.code, 5);
    assert!(answer.stdout.contains("broke off"), "{answer:?}");
}

#[test]
fn servers_that_hang_or_trickle_are_left_after_five_seconds() {
    let silent = serve(|stream| {
        thread::sleep(Duration::from_mins(1));
        drop(stream);
    });
    let body = good().to_string();
    let trickling = serve(move |mut stream| {
        request(&mut stream);
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        for byte in body.bytes() {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    });
    let release = Release::new();
    thread::scope(|scope| {
        for url in [&silent, &trickling] {
            let release = &release;
            scope.spawn(move || {
                let started = Instant::now();
                let answer = release.verify(&["--service", url]);
                assert_eq!(answer.code, 5);
                assert!(
                    answer.stdout.contains("did not answer within 5 s"),
                    "{answer:?}"
                );
                assert!(started.elapsed() < Duration::from_secs(20));
            });
        }
    });
}
