//! The object's tables. Times are epoch ms; amounts are text, since SQLite's integers come back as
//! JavaScript numbers, which a day's emission in base units exceeds.

/// Run once per instance, before the first query.
pub(crate) const SCHEMA: &str = "
-- Requests of an address in one window.
CREATE TABLE IF NOT EXISTS rate (
    address TEXT PRIMARY KEY, window INTEGER NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;

-- Devices the backend has confirmed, and their history here.
CREATE TABLE IF NOT EXISTS device (
    device_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, confirmed_at INTEGER NOT NULL, last_seen INTEGER,
    vau_count INTEGER NOT NULL, day INTEGER NOT NULL, day_count INTEGER NOT NULL
) WITHOUT ROWID;

-- VAUs of the last day: recognises duplicates.
CREATE TABLE IF NOT EXISTS accepted (
    vau_id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, accepted_at INTEGER NOT NULL,
    trust_score INTEGER NOT NULL, earned TEXT NOT NULL
) WITHOUT ROWID;

-- What was promised on a UTC day.
CREATE TABLE IF NOT EXISTS emission (day INTEGER PRIMARY KEY, promised TEXT NOT NULL);

-- Accepted and in no segment yet, in order.
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, vau_id TEXT NOT NULL, accepted_at INTEGER NOT NULL, item TEXT NOT NULL
);

-- Not acknowledged yet.
CREATE TABLE IF NOT EXISTS segment (
    segment_id TEXT PRIMARY KEY, body TEXT NOT NULL, made_at INTEGER NOT NULL,
    sent INTEGER NOT NULL, next_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The first VAU that conflicted with an accepted one. `item` waits until the accepted one is acknowledged:
-- the backend counts the one it sees first.
CREATE TABLE IF NOT EXISTS conflict (vau_id TEXT PRIMARY KEY, seen_at INTEGER NOT NULL, item TEXT) WITHOUT ROWID;
";
