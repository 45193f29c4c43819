CREATE TABLE devices (
    device_id       text PRIMARY KEY CHECK (device_id ~ '^[0-9a-f]{64}$'),
    user_id         uuid NOT NULL REFERENCES users (id),
    wallet_address  text NOT NULL REFERENCES wallets (address),
    registered_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at      timestamptz
);
CREATE INDEX devices_by_user ON devices (user_id, registered_at DESC);

GRANT SELECT, INSERT, UPDATE ON devices TO twist_app;
