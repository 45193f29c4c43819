//! The object's tables. Times are epoch ms; amounts are text inside JSON, since SQLite's integers come back as
//! JavaScript numbers, which a day's emission in base units exceeds.
//!
//! A day of the free plan holds 100,000 written rows, and a deleted row is a written one: a request writes one row
//! of the journal and one of its device, however many VAUs it brings.

/// Run once per instance, before the first query.
pub(crate) const SCHEMA: &str = "
-- What each request has led to, in order: an `Entry`, and its VAUs as `recent::encode` writes them.
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, entry TEXT NOT NULL, vaus BLOB NOT NULL
);

-- The memory at the last flush: a `Checkpoint`.
CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);

-- Devices the backend has confirmed, and their history here: a `DeviceRecord`.
CREATE TABLE IF NOT EXISTS devices (device_id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;

-- What is not acknowledged yet: segments of VAUs, and reports of hours.
CREATE TABLE IF NOT EXISTS segments (
    segment_id TEXT PRIMARY KEY, kind TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    made_at INTEGER NOT NULL, sent INTEGER NOT NULL, next_at INTEGER NOT NULL, archived INTEGER NOT NULL,
    -- Last, so that the rest of a row is read without it.
    body TEXT NOT NULL
) WITHOUT ROWID;

-- The first VAU that contradicted an accepted one. `body` waits until the accepted one, of the journal's row
-- `after_seq`, is acknowledged: the backend counts the one it sees first.
CREATE TABLE IF NOT EXISTS conflicts (
    vau_id TEXT PRIMARY KEY, seen_at INTEGER NOT NULL, after_seq INTEGER NOT NULL, body TEXT
) WITHOUT ROWID;

-- Hours that are over: a `Summary`.
CREATE TABLE IF NOT EXISTS hours (hour INTEGER PRIMARY KEY, body TEXT NOT NULL);
";

/// Whether the object holds what an earlier build wrote.
pub(crate) const IS_OLD: &str =
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outbox'";

/// Takes over what an earlier build had accepted and not delivered, in that build's form. What it knew of devices
/// is asked for again.
pub(crate) const UPGRADE: &str = "
INSERT INTO segments (segment_id, kind, body, first_seq, last_seq, made_at, sent, next_at, archived)
    SELECT segment_id, 'vau', body, 0, 0, made_at, sent, next_at, 0 FROM segment;
INSERT INTO segments (segment_id, kind, body, first_seq, last_seq, made_at, sent, next_at, archived)
    SELECT id, 'vau', json_object('version', 1, 'segmentId', id, 'shard', 'vau-0', 'items', json(items)), 0, 0, made_at, 1, 0, 0
    FROM (
        SELECT printf('%s-%s-4%s-8%s-%s', substr(r, 1, 8), substr(r, 9, 4), substr(r, 13, 3), substr(r, 16, 3), substr(r, 19, 12)) AS id,
            items, made_at
        FROM (
            SELECT lower(hex(randomblob(16))) AS r, json_group_array(json(item)) AS items, min(accepted_at) AS made_at
            FROM outbox GROUP BY seq / 50
        )
    );
DROP TABLE rate; DROP TABLE device; DROP TABLE accepted; DROP TABLE emission; DROP TABLE outbox; DROP TABLE segment; DROP TABLE conflict;
";
