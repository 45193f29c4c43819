//! The log's tables. A call to append writes one row; everything else happens once a segment.

use crate::store::StoreError;
use edge_core::audit::segment::Header;
use edge_core::audit::{Day, Hash, Head, Root, Status};
use worker::{SqlStorage, SqlStorageValue as Value};

const SCHEMA: &str = "
-- Records of one call, as lines of a segment that is not closed yet.
CREATE TABLE IF NOT EXISTS entry (
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, hash TEXT NOT NULL,
    taken_at INTEGER NOT NULL, day INTEGER NOT NULL, lines TEXT NOT NULL
);

-- Closed, and not confirmed by the bucket.
CREATE TABLE IF NOT EXISTS segment (
    first_seq INTEGER PRIMARY KEY, day INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL
);

-- Where closed segments end. `day` is the first day that a new record may be of: a clock that is put back must not
-- add to a day that is closed.
CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL,
    segment_hash TEXT NOT NULL, root_hash TEXT NOT NULL, day INTEGER NOT NULL
);

-- Days whose root the bucket does not have.
CREATE TABLE IF NOT EXISTS day (
    day INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    segments INTEGER NOT NULL, segment_hash TEXT NOT NULL
);
";

type Row = Vec<Value>;

/// The records of one call.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) first_seq: u64,
    pub(crate) head: Head,
    pub(crate) day: Day,
    pub(crate) lines: String,
}

/// A closed segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) first_seq: u64,
    pub(crate) key: String,
    pub(crate) body: String,
}

/// Where closed segments end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closed {
    pub(crate) head: Head,
    pub(crate) segment_hash: Hash,
    pub(crate) root_hash: Hash,
    /// The first day that a new record may be of.
    pub(crate) day: Day,
}

/// The tables.
#[derive(Debug, Clone)]
pub(crate) struct Store(SqlStorage);

impl Store {
    pub(crate) const fn new(sql: SqlStorage) -> Self {
        Self(sql)
    }

    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        self.run(SCHEMA, vec![]).map(drop)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.database_size()
    }

    /// Where the chain ends, waiting records included, and the first day that a new record may be of.
    pub(crate) fn head(&self) -> Result<(Head, Day), StoreError> {
        let last = "SELECT last_seq, hash, day FROM entry ORDER BY first_seq DESC LIMIT 1";
        if let Some(row) = self.one(last)? {
            let head = Head {
                seq: number(&row, 0)?,
                hash: hash(&row, 1)?,
            };
            return Ok((head, Day::new(number(&row, 2)?)));
        }
        let closed = self.closed()?;
        Ok((closed.head, closed.day))
    }

    pub(crate) fn closed(&self) -> Result<Closed, StoreError> {
        match self.one("SELECT seq, hash, segment_hash, root_hash, day FROM head")? {
            Some(row) => Ok(Closed {
                head: Head {
                    seq: number(&row, 0)?,
                    hash: hash(&row, 1)?,
                },
                segment_hash: hash(&row, 2)?,
                root_hash: hash(&row, 3)?,
                day: Day::new(number(&row, 4)?),
            }),
            None => Ok(Closed {
                head: Head::START,
                segment_hash: Hash::ZERO,
                root_hash: Hash::ZERO,
                day: Day::new(0),
            }),
        }
    }

    fn put_closed(&self, closed: Closed) -> Result<(), StoreError> {
        self.run(
            "INSERT OR REPLACE INTO head VALUES (1, ?, ?, ?, ?, ?)",
            vec![
                value(closed.head.seq),
                closed.head.hash.to_string().into(),
                closed.segment_hash.to_string().into(),
                closed.root_hash.to_string().into(),
                value(closed.day.number()),
            ],
        )
        .map(drop)
    }

    pub(crate) fn append(&self, entry: Entry, taken_at: u64) -> Result<(), StoreError> {
        self.run(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)",
            vec![
                value(entry.first_seq),
                value(entry.head.seq),
                entry.head.hash.to_string().into(),
                value(taken_at),
                value(entry.day.number()),
                entry.lines.into(),
            ],
        )
        .map(drop)
    }

    /// The oldest entries of the oldest day that waits.
    pub(crate) fn waiting(&self, most: u64) -> Result<Vec<Entry>, StoreError> {
        self.run(
            "SELECT first_seq, last_seq, hash, day, lines FROM entry \
             WHERE day = (SELECT day FROM entry ORDER BY first_seq LIMIT 1) ORDER BY first_seq LIMIT ?",
            vec![value(most)],
        )?
        .iter()
        .map(|row| {
            Ok(Entry {
                first_seq: number(row, 0)?,
                head: Head {
                    seq: number(row, 1)?,
                    hash: hash(row, 2)?,
                },
                day: Day::new(number(row, 3)?),
                lines: text(row, 4)?.to_owned(),
            })
        })
        .collect()
    }

    /// Keeps a segment in place of its entries.
    pub(crate) fn close(
        &self,
        header: &Header,
        body: String,
        own_hash: Hash,
        end: Head,
    ) -> Result<(), StoreError> {
        let (first, day) = (value(header.first_seq), value(header.day.number()));
        self.run(
            "INSERT INTO day VALUES (?1, ?2, ?3, 1, ?4) ON CONFLICT (day) DO UPDATE SET \
             last_seq = ?3, segments = segments + 1, segment_hash = ?4",
            vec![
                day.clone(),
                first.clone(),
                value(end.seq),
                own_hash.to_string().into(),
            ],
        )?;
        self.run(
            "INSERT INTO segment VALUES (?, ?, ?, ?)",
            vec![first, day, header.key().into(), body.into()],
        )?;
        self.run(
            "DELETE FROM entry WHERE last_seq <= ?",
            vec![value(end.seq)],
        )?;
        self.put_closed(Closed {
            head: end,
            segment_hash: own_hash,
            day: header.day,
            ..self.closed()?
        })
    }

    pub(crate) fn segment(&self) -> Result<Option<Segment>, StoreError> {
        let oldest = "SELECT first_seq, key, body FROM segment ORDER BY first_seq LIMIT 1";
        let Some(row) = self.one(oldest)? else {
            return Ok(None);
        };
        Ok(Some(Segment {
            first_seq: number(&row, 0)?,
            key: text(&row, 1)?.to_owned(),
            body: text(&row, 2)?.to_owned(),
        }))
    }

    /// The bucket has it.
    pub(crate) fn confirmed(&self, first_seq: u64) -> Result<(), StoreError> {
        self.run(
            "DELETE FROM segment WHERE first_seq = ?",
            vec![value(first_seq)],
        )
        .map(drop)
    }

    /// The root of the oldest day before `today` all of whose records are in the bucket.
    pub(crate) fn root(&self, today: Day) -> Result<Option<Root>, StoreError> {
        let query = "SELECT day, first_seq, last_seq, segments, segment_hash FROM day WHERE day < ?1 \
             AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.day <= day.day) \
             AND NOT EXISTS (SELECT 1 FROM segment WHERE segment.day <= day.day) ORDER BY day LIMIT 1";
        let rows = self.run(query, vec![value(today.number())])?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(Root {
            day: Day::new(number(row, 0)?),
            first_seq: number(row, 1)?,
            last_seq: number(row, 2)?,
            segments: number(row, 3)?,
            segment_hash: hash(row, 4)?,
            prev_root_hash: self.closed()?.root_hash,
        }))
    }

    /// The bucket has the day's root.
    pub(crate) fn rooted(&self, root: &Root) -> Result<(), StoreError> {
        let closed = self.closed()?;
        self.put_closed(Closed {
            root_hash: root.hash(),
            day: closed
                .day
                .max(Day::new(root.day.number().saturating_add(1))),
            ..closed
        })?;
        self.run(
            "DELETE FROM day WHERE day = ?",
            vec![value(root.day.number())],
        )
        .map(drop)
    }

    /// When the oldest waiting record was taken.
    pub(crate) fn waiting_since(&self) -> Result<Option<u64>, StoreError> {
        let row = self.one("SELECT taken_at FROM entry ORDER BY first_seq LIMIT 1")?;
        row.map(|row| number(&row, 0)).transpose()
    }

    /// The oldest day without a root.
    pub(crate) fn oldest_day(&self) -> Result<Option<Day>, StoreError> {
        let row = self.one("SELECT day FROM day ORDER BY day LIMIT 1")?;
        row.map(|row| Ok(Day::new(number(&row, 0)?))).transpose()
    }

    pub(crate) fn status(&self) -> Result<Status, StoreError> {
        let counts = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM segment), \
             (SELECT count(*) FROM day)";
        let row = self.one(counts)?.ok_or(StoreError::Row("entry"))?;
        let (head, _) = self.head()?;
        Ok(Status {
            seq: head.seq,
            hash: head.hash,
            waiting: number(&row, 0)?,
            segments: number(&row, 1)?,
            days: number(&row, 2)?,
        })
    }

    fn one(&self, query: &str) -> Result<Option<Row>, StoreError> {
        Ok(self.run(query, vec![])?.into_iter().next())
    }

    fn run(&self, query: &str, values: Vec<Value>) -> Result<Vec<Row>, StoreError> {
        let failed = |error: worker::Error| StoreError::Sql(error.to_string());
        let cursor = self.0.exec(query, values).map_err(failed)?;
        cursor.raw().map(|row| row.map_err(failed)).collect()
    }
}

/// Numbers here are times, days and counts: far below 2^53.
fn value(n: u64) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

fn number(row: &Row, place: usize) -> Result<u64, StoreError> {
    match row.get(place) {
        Some(Value::Integer(n)) => u64::try_from(*n).map_err(|_| StoreError::Row("audit log")),
        _ => Err(StoreError::Row("audit log")),
    }
}

fn text(row: &Row, place: usize) -> Result<&str, StoreError> {
    match row.get(place) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(StoreError::Row("audit log")),
    }
}

fn hash(row: &Row, place: usize) -> Result<Hash, StoreError> {
    text(row, place)?
        .parse()
        .map_err(|_| StoreError::Row("audit log"))
}
