-- A signing key is announced before it signs and believed for a while after: activate_at is when an announced key is to
-- become active, retire_at when a retiring one stops being believed.
ALTER TABLE signing_keys
    ADD COLUMN activate_at   timestamptz,
    ADD COLUMN retire_at     timestamptz;

-- All that services other than auth-service may know of signing keys: which are no longer believed, and since when.
CREATE VIEW retired_signing_keys AS
    SELECT kid, retired_at FROM signing_keys WHERE state = 'retired' AND retired_at IS NOT NULL;
GRANT SELECT ON retired_signing_keys TO twist_app;
