//! The answer as a table.

use crate::artifact::oci::text::is_shown;
use crate::verify::{Outcome, Report, Row};
use attest::{Difference, Offset, Verdict};
use std::fmt::Write;

pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut text, report);
    let _ = rows(&mut text, &report.rows);
    let _ = verdict(&mut text, report);
    text
}

fn head(text: &mut String, report: &Report) -> std::fmt::Result {
    if let Some(manifest) = &report.manifest {
        let revision = manifest.revision.as_deref().unwrap_or("no revision");
        let dirty = if manifest.dirty { ", dirty" } else { "" };
        writeln!(
            text,
            "manifest   {} of {revision}{dirty}, builder {}",
            clean(&manifest.version),
            manifest.builder
        )?;
        writeln!(text, "sha256     {}", manifest.sha256)?;
        writeln!(text, "root       {}", manifest.merkle_root)?;
    }
    if let Some(signature) = &report.signature {
        writeln!(text, "signature  {}", clean(&signature.detail))?;
    }
    Ok(())
}

const TITLES: [&str; 5] = ["RESULT", "ARTIFACT", "LEG", "SUBJECT", "EVIDENCE"];

fn rows(text: &mut String, rows: &[Row]) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let cells: Vec<[String; 5]> = rows.iter().map(cells).collect();
    let mut widths = TITLES.map(str::len);
    for line in &cells {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    writeln!(text)?;
    line(text, &TITLES.map(str::to_owned), &widths)?;
    for (row, cells) in rows.iter().zip(&cells) {
        line(text, cells, &widths)?;
        details(text, row)?;
    }
    Ok(())
}

fn cells(row: &Row) -> [String; 5] {
    let (result, evidence) = match &row.verdict {
        Verdict::Match => ("match", row.evidence.text()),
        Verdict::Differs(_) => ("DIFFERS", row.evidence.text()),
        Verdict::Missing(_) => ("MISSING", ""),
        Verdict::NotChecked(_) => ("NOT CHECKED", ""),
    };
    [
        result.to_owned(),
        clean(row.artifact.as_deref().unwrap_or("-")),
        row.leg.to_owned(),
        clean(&row.subject),
        evidence.to_owned(),
    ]
}

fn line(text: &mut String, cells: &[String; 5], widths: &[usize; 5]) -> std::fmt::Result {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        write!(line, "{cell:width$}  ")?;
    }
    writeln!(text, "{}", line.trim_end())
}

fn details(text: &mut String, row: &Row) -> std::fmt::Result {
    match &row.verdict {
        Verdict::Match => {}
        Verdict::Missing(why) | Verdict::NotChecked(why) => {
            writeln!(text, "    {}", clean(why))?;
        }
        Verdict::Differs(found) => difference(text, found)?,
    }
    if let Some(note) = &row.note {
        writeln!(text, "    {}", clean(note))?;
    }
    if let Some((good, bad)) = row.files.as_ref().filter(|_| row.diffoscope.is_empty())
        && stack::binaries::on_path("diffoscope").is_some()
    {
        let (good, bad) = (good.display().to_string(), bad.display().to_string());
        writeln!(text, "    see: diffoscope {} {}", clean(&good), clean(&bad))?;
    }
    for line in &row.diffoscope {
        writeln!(text, "    | {}", clean(line))?;
    }
    Ok(())
}

fn difference(text: &mut String, found: &Difference) -> std::fmt::Result {
    writeln!(text, "    {}", clean(&found.detail))?;
    if let Some(file) = &found.file {
        writeln!(text, "    file      {}", clean(file))?;
    }
    if found.offset != Offset::Unknown {
        writeln!(text, "    offset    {}", found.offset)?;
    }
    writeln!(text, "    expected  {}", clean(&found.expected))?;
    writeln!(text, "    found     {}", clean(&found.actual))
}

fn verdict(text: &mut String, report: &Report) -> std::fmt::Result {
    let outcome = report.outcome();
    if let Some(error) = &report.error {
        writeln!(text, "{}", clean(error))?;
    }
    let counts: Vec<String> = [
        (Outcome::Equal, "match"),
        (Outcome::Differs, "differs"),
        (Outcome::Missing, "missing"),
        (Outcome::NotChecked, "not checked"),
    ]
    .into_iter()
    .map(|(outcome, name)| (report.count(outcome), name))
    .filter(|(count, _)| *count > 0)
    .map(|(count, name)| format!("{count} {name}"))
    .collect();
    let counts = if counts.is_empty() {
        String::new()
    } else {
        format!(": {}", counts.join(", "))
    };
    let answer = match outcome {
        Outcome::Equal if report.rows.is_empty() => "yes, signature only: nothing was compared",
        Outcome::Equal => "yes",
        Outcome::NotChecked => "not all could be checked",
        Outcome::BadSignature => "no: the signature does not hold, and nothing else was looked at",
        Outcome::BadInput => "the question cannot be answered",
        Outcome::Differs | Outcome::Missing => "no",
    };
    write!(text, "\n{answer}{counts} (exit code {})", outcome.code())
}

/// Names come from strangers' files and servers, and the terminal obeys control characters.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => ' ',
            c if is_shown(c) => c,
            _ => '\u{fffd}',
        })
        .collect()
}
