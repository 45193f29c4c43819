-- VAUs that the edge accepted and the backend counted: each once, for ever.
CREATE TABLE vaus (
    vau_id          text PRIMARY KEY CHECK (vau_id ~ '^[0-9a-f]{32}$'),
    fingerprint     bytea NOT NULL CHECK (length(fingerprint) = 32),
    user_id         uuid NOT NULL REFERENCES users (id),
    wallet_address  text NOT NULL,
    device_id       text NOT NULL REFERENCES devices (device_id),
    site_id         text NOT NULL,
    -- The submission as JSON. Bytes, because a payload may hold what a text column may not.
    submission      bytea NOT NULL,
    accepted_at     timestamptz NOT NULL,
    trust_score     smallint NOT NULL CHECK (trust_score BETWEEN 0 AND 100),
    earned          bigint NOT NULL CHECK (earned >= 0),
    segment_id      uuid NOT NULL,
    -- Null when nothing was credited. Posted later in the same database transaction.
    transaction_id  uuid UNIQUE REFERENCES ledger_tx (id) DEFERRABLE INITIALLY DEFERRED,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    seq             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    CHECK ((earned = 0) = (transaction_id IS NULL))
);
CREATE INDEX vaus_by_user ON vaus (user_id, seq DESC);

-- Items that were not counted, with the reason. A segment is delivered again until it is
-- acknowledged, so an item has one place here however often it comes.
CREATE TABLE vau_quarantine (
    segment_id   uuid NOT NULL,
    item_index   integer NOT NULL CHECK (item_index >= 0),
    reason       text NOT NULL,
    vau_id       text,
    item         bytea NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment_id, item_index)
);
CREATE INDEX vau_quarantine_by_time ON vau_quarantine (received_at);

GRANT SELECT, INSERT ON vaus, vau_quarantine TO twist_app;
