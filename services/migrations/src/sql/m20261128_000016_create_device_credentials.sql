-- WebAuthn credentials that may attest a device's VAUs.
CREATE TABLE device_credentials (
    credential_id   text PRIMARY KEY CHECK (credential_id ~ '^[A-Za-z0-9_-]+$' AND length(credential_id) <= 1364),
    device_id       text NOT NULL REFERENCES devices (device_id),
    public_key      text NOT NULL CHECK (public_key ~ '^[A-Za-z0-9_-]+$' AND length(public_key) <= 2048),
    algorithm       text NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256')),
    sign_count      bigint NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
    -- What the authenticator claims of its make; nobody has checked it.
    aaguid          uuid NOT NULL,
    format          text NOT NULL CHECK (format ~ '^[a-z0-9-]{1,32}$'),
    user_verified   boolean NOT NULL,
    registered_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at      timestamptz
);
CREATE INDEX device_credentials_by_device ON device_credentials (device_id, registered_at);

GRANT SELECT, INSERT, UPDATE ON device_credentials TO twist_app;
