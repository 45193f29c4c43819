-- A signing key is announced before it signs and believed for a while after: activate_at is when an announced key is to
-- become active, retire_at when a retiring one stops being believed.
ALTER TABLE signing_keys
    ADD COLUMN activate_at   timestamptz,
    ADD COLUMN retire_at     timestamptz;
