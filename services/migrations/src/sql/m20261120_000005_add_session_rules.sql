-- A refresh moves a session's generation on; a session is looked for by when it was ended, by every instance, all day.
CREATE INDEX sessions_by_revocation ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_open_by_user ON sessions (user_id, created_at) WHERE revoked_at IS NULL;

-- All that services other than auth-service may know of sessions: which were ended, and when.
CREATE VIEW session_revocations AS
    SELECT id AS session_id, revoked_at FROM sessions WHERE revoked_at IS NOT NULL;
GRANT SELECT ON session_revocations TO twist_app;

-- What a request with an Idempotency-Key was answered. Written in the transaction of its effect, so that there is never
-- one without the other. request_hash: SHA-256 over path and body; body: the answer as it was sent.
CREATE TABLE idempotency_keys (
    user_id       uuid NOT NULL,
    route         text NOT NULL,
    key           text NOT NULL CHECK (key ~ '^[A-Za-z0-9_-]{16,64}$'),
    request_hash  bytea NOT NULL CHECK (length(request_hash) = 32),
    status        smallint NOT NULL CHECK (status BETWEEN 200 AND 499),
    body          bytea NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    PRIMARY KEY (user_id, route, key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO twist_app;
