//! No message of a dead-letter queue is lost on its way back.

use crate::kit::cloudflare::{Fault, StoredMessage};
use crate::kit::edge::Edge;

const MAIN: &str = "vau-segments-staging";
const DEAD: &str = "vau-segments-dead-staging";

fn dead(edge: &Edge, messages: &[(&str, &str)]) {
    let stored = messages
        .iter()
        .map(|(kind, body)| StoredMessage::new(kind, body));
    edge.cloudflare
        .state()
        .queues
        .get_mut(DEAD)
        .unwrap()
        .messages = stored.collect();
}

fn bodies(edge: &Edge, queue: &str) -> Vec<String> {
    let state = edge.cloudflare.state();
    let text = |message: &StoredMessage| String::from_utf8(message.body.clone()).unwrap();
    state.queues[queue].messages.iter().map(text).collect()
}

fn segment(number: u32) -> String {
    format!(r#"{{"earned":"10000000000000000","segmentId":"{number}","version":1}}"#)
}

#[test]
fn a_look_hands_nothing_out_and_changes_nothing() {
    let edge = Edge::new();
    dead(&edge, &[("json", &segment(1)), ("v8", "x"), ("text", "y")]);
    let answer = edge.edge(&["redrive", "--environment", "staging"]);
    assert_eq!(answer.code, 1, "one cannot be sent: {answer:?}");
    assert!(
        answer
            .stdout
            .contains("2 would be sent on to vau-segments-staging, 1 cannot be"),
        "{answer:?}"
    );
    assert!(
        answer.stdout.contains("content type is \"v8\""),
        "{answer:?}"
    );
    let state = edge.cloudflare.state();
    assert!(
        state.queues[DEAD]
            .messages
            .iter()
            .all(|message| message.attempts == 0)
    );
}

#[test]
fn messages_arrive_as_they_were_and_are_gone_from_the_dead() {
    let edge = Edge::new();
    let all: Vec<String> = (0..250).map(segment).collect();
    let messages: Vec<(&str, &str)> = all.iter().map(|body| ("json", body.as_str())).collect();
    dead(&edge, &messages);
    let answer = edge.edge(&["redrive", "--environment", "staging", "--send"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(
        answer
            .stdout
            .contains("250 sent on to vau-segments-staging, 0 kept"),
        "{answer:?}"
    );
    assert_eq!(bodies(&edge, MAIN), all);
    assert!(bodies(&edge, DEAD).is_empty());
}

#[test]
fn no_more_than_asked_for_are_sent() {
    let edge = Edge::new();
    let (one, two) = (segment(1), segment(2));
    dead(&edge, &[("json", &one), ("json", &two)]);
    let answer = edge.edge(&[
        "redrive",
        "--environment",
        "staging",
        "--send",
        "--limit",
        "1",
    ]);
    assert!(answer.stdout.contains("1 sent on"), "{answer:?}");
    assert_eq!(bodies(&edge, DEAD), [two]);
}

#[test]
fn what_cannot_be_sent_stays_and_does_not_hold_up_the_rest() {
    let edge = Edge::new();
    let good = segment(2);
    dead(
        &edge,
        &[
            ("v8", "odd"),
            ("json", "{broken"),
            ("json", &good),
            ("text", "plain"),
        ],
    );
    let answer = edge.edge(&["redrive", "--environment", "staging", "--send"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(
        answer
            .stdout
            .contains("2 sent on to vau-segments-staging, 2 kept"),
        "{answer:?}"
    );
    assert_eq!(bodies(&edge, MAIN), [good.as_str(), "plain"]);
    assert_eq!(bodies(&edge, DEAD), ["odd", "{broken"]);
    let state = edge.cloudflare.state();
    assert!(
        state.queues[DEAD]
            .messages
            .iter()
            .all(|message| !message.leased),
        "given back at once"
    );
}

#[test]
fn a_queue_that_takes_nothing_leaves_the_rest_where_it_is() {
    let edge = Edge::new();
    let all: Vec<String> = (0..3).map(segment).collect();
    let messages: Vec<(&str, &str)> = all.iter().map(|body| ("json", body.as_str())).collect();
    dead(&edge, &messages);
    edge.cloudflare.fault(Fault {
        method: "POST",
        path_end: format!("id-of-{MAIN}/messages"),
        times: 1,
        status: 500,
        retry_after: None,
        done: false,
    });
    let answer = edge.edge(&["redrive", "--environment", "staging", "--send"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stderr
            .contains("0 were sent on before that, 3 are still there"),
        "{answer:?}"
    );
    assert_eq!(bodies(&edge, DEAD), all);
    assert_eq!(
        edge.edge(&["redrive", "--environment", "staging", "--send"])
            .code,
        0
    );
    assert_eq!(bodies(&edge, MAIN), all);
}

#[test]
fn an_acknowledgement_that_gets_lost_doubles_a_message_and_loses_none() {
    let edge = Edge::new();
    let one = segment(1);
    dead(&edge, &[("json", &one)]);
    edge.cloudflare.fault(Fault {
        method: "POST",
        path_end: "/messages/ack".into(),
        times: 9,
        status: 503,
        retry_after: None,
        done: false,
    });
    let answer = edge.edge(&["redrive", "--environment", "staging", "--send"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.stderr.contains("1 were sent on before that"),
        "{answer:?}"
    );
    assert_eq!(bodies(&edge, MAIN), [one.as_str()]);
    assert_eq!(bodies(&edge, DEAD), [one]);
}

#[test]
fn another_queue_is_not_made_up() {
    let edge = Edge::new();
    let answer = edge.edge(&["redrive", "--environment", "staging", "--queue", "rewards"]);
    assert!(
        answer.stderr.contains("there is no queue rewards"),
        "{answer:?}"
    );
    let answer = edge.edge(&["redrive", "--environment", "production"]);
    assert!(
        answer.stderr.contains("apply edge/terraform first"),
        "{answer:?}"
    );
}
