-- Events leave with the transaction that caused them: a row here is an event that happened. A relay brings them
-- to Redis, which is never where the truth is: whatever it loses is published again from here.

-- The last number that was given to an aggregate's events. Its lock is what makes their order that of the commits.
CREATE TABLE outbox_aggregate (
    aggregate  text PRIMARY KEY,
    last_seq   bigint NOT NULL CHECK (last_seq > 0)
);

CREATE TABLE outbox (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id       uuid NOT NULL UNIQUE,
    topic          text NOT NULL CHECK (topic ~ '^twist\.[a-z][a-z_]*\.[a-z][a-z_]*\.v[1-9][0-9]*$'),
    version        integer NOT NULL CHECK (version > 0),
    aggregate      text NOT NULL CHECK (length(aggregate) BETWEEN 1 AND 200),
    aggregate_seq  bigint NOT NULL CHECK (aggregate_seq > 0),
    payload        jsonb NOT NULL,
    trace          text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    published_at   timestamptz,
    UNIQUE (aggregate, aggregate_seq)
);
CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
CREATE INDEX outbox_by_publication ON outbox (published_at) WHERE published_at IS NOT NULL;

-- What a consumer has dealt with. Written with its effect, in one transaction.
CREATE TABLE inbox (
    consumer      text NOT NULL,
    event_id      uuid NOT NULL,
    processed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_by_age ON inbox (processed_at);

-- What a consumer could not deal with. Closed by a person: replayed or dropped.
CREATE TABLE dead_letter (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer     text NOT NULL,
    -- Null: the message cannot even be read; `message` is then all there is.
    event_id     uuid,
    topic        text,
    message      text NOT NULL,
    error        text NOT NULL,
    deliveries   bigint NOT NULL,
    died_at      timestamptz NOT NULL DEFAULT now(),
    resolution   text CHECK (resolution IN ('replayed', 'dropped')),
    resolved_at  timestamptz,
    CHECK ((resolution IS NULL) = (resolved_at IS NULL))
);
CREATE INDEX dead_letter_by_event ON dead_letter (consumer, event_id) WHERE resolution IS DISTINCT FROM 'replayed';
CREATE INDEX dead_letter_open ON dead_letter (id) WHERE resolution IS NULL;

-- Work at set times. One row a job, whoever runs it.
CREATE TABLE schedule (
    name         text PRIMARY KEY,
    due_at       timestamptz NOT NULL,
    -- Who runs it now, and until when that is believed.
    lease_by     uuid,
    lease_until  timestamptz,
    started_at   timestamptz,
    finished_at  timestamptz,
    runs         bigint NOT NULL DEFAULT 0,
    failures     bigint NOT NULL DEFAULT 0,
    CHECK ((lease_by IS NULL) OR (lease_until IS NOT NULL))
);

CREATE FUNCTION outbox_wake() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM pg_notify('twist_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_wake AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION outbox_wake();

GRANT SELECT, INSERT, UPDATE ON outbox_aggregate TO twist_app;
GRANT SELECT, INSERT, DELETE, UPDATE (published_at) ON outbox TO twist_app;
GRANT SELECT, INSERT, DELETE ON inbox TO twist_app;
GRANT SELECT, INSERT, UPDATE (resolution, resolved_at) ON dead_letter TO twist_app;
GRANT SELECT, INSERT, UPDATE ON schedule TO twist_app;
