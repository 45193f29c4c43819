//! The figures, as a table.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    /// CPU of the server's process for all requests together.
    pub(crate) cpu: Duration,
    /// p50 and p99, where they say something.
    pub(crate) latency: Option<(Duration, Duration)>,
    /// What the rows below it are compared with.
    pub(crate) baseline: bool,
}

impl Row {
    /// CPU for one request, in tenths of a microsecond.
    fn cost(&self) -> u128 {
        self.cpu.as_nanos() / 100 / u128::from(self.requests.max(1))
    }

    fn rate(&self) -> u128 {
        u128::from(self.requests) * 1_000 / self.took.as_millis().max(1)
    }
}

/// All figures of a run. A baseline stands above what is compared with it.
#[derive(Debug, Clone)]
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    /// What orders and deliveries cost the database, and the service in front of it.
    pub(crate) writes: Vec<Row>,
    /// What the ledger costs the database.
    pub(crate) postings: Vec<Row>,
    /// Name and value.
    pub(crate) facts: Vec<(String, String)>,
}

pub(crate) fn print(results: &Results) -> io::Result<()> {
    let mut text = String::new();
    write_rows(
        &mut text,
        ["CPU a request", "times the bare route"],
        &results.rows,
    );
    text.push('\n');
    write_rows(
        &mut text,
        ["CPU each", "times the baseline"],
        &results.writes,
    );
    text.push('\n');
    write_rows(
        &mut text,
        ["CPU of PostgreSQL a posting", "times the bare writes"],
        &results.postings,
    );
    text.push_str("\n| what | figure |\n| --- | --- |\n");
    for (name, value) in &results.facts {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    io::stdout().write_all(text.as_bytes())
}

fn write_rows(text: &mut String, [cost, ratio]: [&str; 2], rows: &[Row]) {
    let _ = writeln!(
        text,
        "| what | {cost} | {ratio} | rate seen | of the baseline's | p50 | p99 |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    let mut baseline = (1, 1);
    for row in rows {
        let (cost, rate) = (row.cost(), row.rate());
        if row.baseline {
            baseline = (cost.max(1), rate.max(1));
        }
        let (ratio, of_rate) = (cost * 100 / baseline.0, rate * 100 / baseline.1);
        let (p50, p99) = row
            .latency
            .map_or((String::new(), String::new()), |(p50, p99)| {
                (format!("{p50:.1?}"), format!("{p99:.1?}"))
            });
        let _ = writeln!(
            text,
            "| {} | {}.{} µs | {}.{:02} | {rate}/s | {}.{:02} | {p50} | {p99} |",
            row.what,
            cost / 10,
            cost % 10,
            ratio / 100,
            ratio % 100,
            of_rate / 100,
            of_rate % 100,
        );
    }
}
