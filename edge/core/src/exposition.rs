//! What `/metrics` shows: Prometheus' text format. Every figure is the object's, so that it does not matter which
//! isolate is asked.

use crate::meter;
use crate::shard::Report;
use std::fmt::Write;

/// The text's media type.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const TRUST: [&str; 3] = ["low", "medium", "high"];

/// The report as metrics.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let totals = &report.totals;
    family(
        &mut out,
        "edge_vau_processed_total",
        "counter",
        "VAUs accepted, by the trust of their device",
    );
    for (level, count) in TRUST.iter().zip(totals.accepted) {
        sample(
            &mut out,
            "edge_vau_processed_total",
            &[("trust_level", level)],
            count,
        );
    }
    family(
        &mut out,
        "edge_vau_refused_total",
        "counter",
        "VAUs not accepted by the object, by reason",
    );
    for (reason, count) in [
        ("duplicate", totals.duplicates),
        ("conflicting", totals.conflicts),
        ("other", totals.refused),
    ] {
        sample(
            &mut out,
            "edge_vau_refused_total",
            &[("reason", reason)],
            count,
        );
    }
    for (name, help, count) in [
        (
            "edge_rate_limit_hits_total",
            "Requests refused because their address had used up its minute",
            totals.rate_limited,
        ),
        (
            "edge_quota_refusals_total",
            "Requests refused because the day's free allowance was used up",
            totals.exhausted,
        ),
        (
            "edge_segments_delivered_total",
            "Segments the backend has acknowledged",
            totals.delivered,
        ),
        (
            "edge_segments_resent_total",
            "Segments that were sent again",
            totals.resent,
        ),
        (
            "edge_audit_records_lost_total",
            "Segments that the audit log could not be told of in time",
            totals.audit_lost,
        ),
        (
            "edge_archive_failures_total",
            "Segments the archive did not take at the first try",
            totals.archive_failures,
        ),
    ] {
        family(&mut out, name, "counter", help);
        sample(&mut out, name, &[], count);
    }
    for (name, help, value) in [
        (
            "edge_vau_waiting",
            "Accepted VAUs that are in no segment yet",
            report.status.waiting,
        ),
        (
            "edge_queue_backlog",
            "Segments the backend has not acknowledged",
            report.status.segments,
        ),
        (
            "edge_oldest_segment_age_ms",
            "Age of the oldest of them",
            report.status.oldest_segment_ms,
        ),
        (
            "edge_emission_promised_units",
            "Base units promised on this UTC day",
            report.promised.units(),
        ),
    ] {
        family(&mut out, name, "gauge", help);
        sample(&mut out, name, &[], value);
    }
    usage(&mut out, report);
    out
}

fn usage(out: &mut String, report: &Report) {
    let u = &report.usage;
    let used = [
        ("requests", u.requests, meter::REQUESTS),
        ("object_requests", u.object_requests, meter::OBJECT_REQUESTS),
        ("rows_written", u.rows_written, meter::ROWS_WRITTEN),
        ("rows_read", u.rows_read, meter::ROWS_READ),
        (
            "queue_operations",
            u.queue_operations,
            meter::QUEUE_OPERATIONS,
        ),
        ("archive_writes", u.archive_writes, meter::ARCHIVE_WRITES),
    ];
    family(
        out,
        "edge_free_tier_used",
        "gauge",
        "What is used of a UTC day's free allowance",
    );
    for (what, count, _) in used {
        sample(out, "edge_free_tier_used", &[("allowance", what)], count);
    }
    family(
        out,
        "edge_free_tier_allowance",
        "gauge",
        "The free allowance of a UTC day",
    );
    for (what, _, allowed) in used {
        sample(
            out,
            "edge_free_tier_allowance",
            &[("allowance", what)],
            allowed,
        );
    }
}

// Writing to a string does not fail.
fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(out: &mut String, name: &str, labels: &[(&str, &str)], value: u64) {
    let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{v}\"")).collect();
    let _ = if labels.is_empty() {
        writeln!(out, "{name} {value}")
    } else {
        writeln!(out, "{name}{{{}}} {value}", labels.join(","))
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Totals;
    use crate::meter::Usage;
    use crate::shard::Status;
    use domain::Amount;

    #[test]
    fn every_sample_belongs_to_a_family_that_is_described_once() {
        let report = Report {
            status: Status {
                waiting: 1,
                segments: 2,
                oldest_segment_ms: 3,
            },
            totals: Totals {
                accepted: [4, 5, 6],
                ..Totals::default()
            },
            usage: Usage::default(),
            promised: Amount::from_twist(7),
            hours: Vec::new(),
        };
        let text = text(&report);
        let mut open = "";
        let mut families = std::collections::BTreeSet::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                open = rest.split(' ').next().unwrap();
                assert!(families.insert(open), "{open} is described twice");
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                assert_eq!(name, open);
                assert!(
                    line.rsplit(' ').next().unwrap().parse::<u64>().is_ok(),
                    "{line}"
                );
            }
        }
        assert!(text.contains("edge_vau_processed_total{trust_level=\"high\"} 6"));
        assert!(text.contains("edge_emission_promised_units 7000000000"));
    }
}
