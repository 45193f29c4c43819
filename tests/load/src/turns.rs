//! Ways to do the same that take turns, so that both see the same machine.

use crate::drive::{Driven, Failure};
use crate::process::{cpu, cpu_of_children};
use crate::table::Row;
use std::io;
use std::time::Duration;

/// Whose CPU counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meters {
    pub(crate) postmaster: u32,
    /// A server in front of the database.
    pub(crate) server: Option<u32>,
}

impl Meters {
    /// Of the database's processes, and of the server.
    fn read(self) -> io::Result<[Duration; 2]> {
        let server = self.server.map_or(Ok(Duration::ZERO), cpu)?;
        Ok([cpu_of_children(self.postmaster)?, server])
    }
}

/// What came of the turns of one way.
#[derive(Default)]
pub(crate) struct Turns {
    requests: u64,
    took: Duration,
    database: Duration,
    server: Duration,
    latencies: Vec<Duration>,
}

impl Turns {
    pub(crate) async fn take(
        &mut self,
        meters: Meters,
        turn: impl Future<Output = Result<Driven, Failure>>,
    ) -> Result<(), Failure> {
        let before = meters.read()?;
        let driven = turn.await?;
        let after = meters.read()?;
        let [database, server] = [0, 1].map(|i: usize| match (after.get(i), before.get(i)) {
            (Some(after), Some(before)) => after.saturating_sub(*before),
            _ => Duration::ZERO,
        });
        self.database += database;
        self.server += server;
        self.requests += driven.requests;
        self.took += driven.took;
        self.latencies.extend(driven.latencies);
        Ok(())
    }

    /// What it cost the database, `each` times what is counted for a request.
    pub(crate) fn row(&mut self, what: impl Into<String>, each: u32) -> Result<Row, Failure> {
        self.latencies.sort_unstable();
        let driven = Driven {
            requests: self.requests,
            took: self.took,
            latencies: self.latencies.clone(),
        };
        Ok(Row {
            what: what.into(),
            requests: self
                .requests
                .checked_mul(u64::from(each))
                .ok_or("too many")?,
            took: self.took,
            cpu: self.database,
            latency: Some((driven.percentile(50), driven.percentile(99))),
            baseline: false,
        })
    }

    /// As [`row`](Self::row), of what the others are compared with.
    pub(crate) fn baseline(&mut self, what: impl Into<String>, each: u32) -> Result<Row, Failure> {
        Ok(Row {
            baseline: true,
            ..self.row(what, each)?
        })
    }

    /// What it cost the server, and nothing else.
    pub(crate) fn server(&mut self, what: impl Into<String>, each: u32) -> Result<Row, Failure> {
        Ok(Row {
            cpu: self.server,
            latency: None,
            ..self.row(what, each)?
        })
    }
}
