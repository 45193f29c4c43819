//! The frames on the page for strangers are frames.

use conformance::reference;
use contracts::realtime::{ClientFrame, ServerFrame};
use std::fs;

#[test]
fn every_example_of_the_page_is_a_frame_of_its_side() {
    let page = fs::read_to_string(reference::page("realtime.md")).unwrap_or_default();
    let mut read = [0, 0];
    for line in page.lines() {
        if let Some(json) = line.strip_prefix("→ ") {
            let frame: Result<ClientFrame, _> = serde_json::from_str(json);
            assert!(frame.is_ok(), "{json}: {frame:?}");
            read[0] += 1;
        }
        if let Some(json) = line.strip_prefix("← ") {
            let frame: Result<ServerFrame, _> = serde_json::from_str(json);
            assert!(frame.is_ok(), "{json}: {frame:?}");
            read[1] += 1;
        }
    }
    assert_eq!(read, [3, 5], "examples of each side");
}
