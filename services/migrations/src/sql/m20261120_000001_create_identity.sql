-- Services log in as a member of twist_app; the owner of the tables only migrates. Roles belong to
-- the cluster, so another database of it may have made this one already.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'twist_app') THEN
        CREATE ROLE twist_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
GRANT USAGE ON SCHEMA public TO twist_app;
-- No service needs temporary tables; PostgreSQL lets everyone make them unless told otherwise.
DO $$ BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;
-- A service is ready only on the schema it was built for, so it reads which one this is.
GRANT SELECT ON seaql_migrations TO twist_app;

CREATE TABLE users (
    id          uuid PRIMARY KEY,
    roles       text[] NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE wallets (
    address    text PRIMARY KEY CHECK (length(address) BETWEEN 32 AND 44),
    user_id    uuid NOT NULL REFERENCES users (id),
    linked_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX wallets_by_user ON wallets (user_id);

-- generation, rotated_at and sealed_key belong to refresh tokens: the row holds what is needed to
-- check one, never a token.
CREATE TABLE sessions (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES users (id),
    wallet_address  text NOT NULL REFERENCES wallets (address),
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    revoke_reason   text,
    generation      integer NOT NULL DEFAULT 0,
    rotated_at      timestamptz,
    sealed_key      bytea
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at DESC);

CREATE TABLE signing_keys (
    kid                 text PRIMARY KEY CHECK (length(kid) BETWEEN 1 AND 64),
    public_key          bytea NOT NULL CHECK (length(public_key) = 32),
    sealed_private_key  bytea NOT NULL,
    state               text NOT NULL CHECK (state IN ('announced', 'active', 'retiring', 'retired')),
    created_at          timestamptz NOT NULL DEFAULT now(),
    activated_at        timestamptz,
    retired_at          timestamptz
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (state) WHERE state = 'active';

GRANT SELECT, INSERT, UPDATE ON users, wallets, sessions, signing_keys TO twist_app;
