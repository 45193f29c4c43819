//! The answer as JSON. Members are only ever added.

use crate::verify::{Outcome, Report, Row};
use attest::{Difference, Offset, Verdict};
use serde_json::{Value, json};

pub(super) fn value(report: &Report) -> Value {
    let outcome = report.outcome();
    let manifest = report.manifest.as_ref().map(|manifest| {
        json!({
            "sha256": manifest.sha256,
            "version": manifest.version,
            "revision": manifest.revision,
            "dirty": manifest.dirty,
            "builder": manifest.builder,
            "merkleRoot": manifest.merkle_root,
        })
    });
    let signature = report.signature.as_ref().map(|signature| {
        json!({
            "status": signature.status.name(),
            "keyId": signature.key_id,
            "keyFile": signature.key_file.as_ref().map(|file| file.display().to_string()),
            "detail": signature.detail,
        })
    });
    json!({
        "manifest": manifest,
        "signature": signature,
        "rows": report.rows.iter().map(row).collect::<Vec<_>>(),
        "error": report.error,
        "verdict": outcome.name(),
        "exitCode": outcome.code(),
    })
}

fn row(row: &Row) -> Value {
    let outcome = Outcome::from(&row.verdict);
    let (difference, reason) = match &row.verdict {
        Verdict::Match => (None, None),
        Verdict::Differs(found) => (Some(difference(found)), Some(&found.detail)),
        Verdict::Missing(why) | Verdict::NotChecked(why) => (None, Some(why)),
    };
    let compared = matches!(outcome, Outcome::Equal | Outcome::Differs);
    json!({
        "artifact": row.artifact,
        "leg": row.leg,
        "subject": row.subject,
        "verdict": if outcome == Outcome::Equal { "match" } else { outcome.name() },
        "evidence": compared.then(|| row.evidence.text()),
        "reason": reason,
        "difference": difference,
        "note": row.note,
        "diffoscope": (!row.diffoscope.is_empty()).then_some(&row.diffoscope),
    })
}

fn difference(found: &Difference) -> Value {
    let offset = match found.offset {
        Offset::At(at) => json!({ "at": at }),
        Offset::Within { from, to } => json!({ "from": from, "to": to }),
        Offset::Unknown => Value::Null,
    };
    json!({
        "file": found.file,
        "offset": offset,
        "expected": found.expected,
        "actual": found.actual,
    })
}
