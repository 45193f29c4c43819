-- Batches that a device has signed as a whole: what proves the VAUs in them.
CREATE TABLE vau_batches (
    segment_id    uuid NOT NULL,
    -- The place of the group in its segment.
    batch_group   integer NOT NULL CHECK (batch_group >= 0),
    device_id     text NOT NULL,
    batch_id      text NOT NULL,
    submitted_at  timestamptz NOT NULL,
    signature     bytea NOT NULL CHECK (length(signature) = 64),
    -- Of every VAU of the batch, in order, 32 bytes each.
    fingerprints  bytea NOT NULL CHECK (length(fingerprints) > 0 AND length(fingerprints) % 32 = 0),
    PRIMARY KEY (segment_id, batch_group)
);

-- With segment_id, the batch that was signed; null where the VAU was.
ALTER TABLE vaus ADD COLUMN batch_group integer;
-- Rows come in this order, so a few bytes for each thousands of rows find an hour.
CREATE INDEX vaus_by_acceptance ON vaus USING brin (accepted_at);

-- Of items that could be read.
ALTER TABLE vau_quarantine ADD COLUMN accepted_at timestamptz, ADD COLUMN wallet_address text;
CREATE INDEX vau_quarantine_by_vau ON vau_quarantine (vau_id) WHERE vau_id IS NOT NULL;

-- What the edge says it has promised in each hour. A report of figures carries the same hour again.
CREATE TABLE edge_reports (
    report_id        uuid PRIMARY KEY,
    shard            text NOT NULL,
    hour_ends_at     timestamptz NOT NULL,
    vaus             bigint NOT NULL CHECK (vaus >= 0),
    promised         bigint NOT NULL CHECK (promised >= 0),
    unique_users     bigint,
    unique_devices   bigint,
    unique_sites     bigint,
    avg_trust_score  smallint,
    received_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX edge_reports_by_hour ON edge_reports (hour_ends_at);

GRANT SELECT, INSERT ON vau_batches, edge_reports TO twist_app;
