-- Payouts of what influencers earned, and earnings that are still inside their holding period. Rows are locked in one
-- order everywhere: the payout or the held earning, then the ledger's accounts. Money itself is in the ledger; the checks
-- L10, L12 and L14 compare the two.

-- The terms of payouts. The newest row is in force; a payout keeps the one that it was asked for under.
CREATE TABLE payout_policies (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset             text NOT NULL DEFAULT 'TWIST',
    minimum           bigint NOT NULL CHECK (minimum > 0),
    platform_fee_bps  integer NOT NULL CHECK (platform_fee_bps BETWEEN 0 AND 10000),
    processing_fee    bigint NOT NULL CHECK (processing_fee >= 0),
    -- Up to this amount nobody has to approve.
    approval_limit    bigint NOT NULL CHECK (approval_limit >= 0),
    -- So long after it was made an earning cannot be paid out.
    holding_seconds   integer NOT NULL CHECK (holding_seconds BETWEEN 0 AND 31536000),
    actor             text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    reason            text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    created_at        timestamptz NOT NULL DEFAULT now(),
    -- Something is left of the least that can be paid out, and so of everything above it.
    CHECK (minimum - div(minimum::numeric * platform_fee_bps, 10000) - processing_fee > 0)
);

INSERT INTO payout_policies
    (minimum, platform_fee_bps, processing_fee, approval_limit, holding_seconds, actor, reason)
VALUES (10000000000, 1000, 100000000, 1000000000000, 604800, 'platform', 'the first terms');

CREATE TABLE payouts (
    -- Made from what caused it, so that asking twice is asking once.
    id              uuid PRIMARY KEY,
    influencer_id   uuid NOT NULL REFERENCES influencers (id),
    -- Who is paid.
    user_id         uuid NOT NULL REFERENCES users (id),
    asset           text NOT NULL DEFAULT 'TWIST',
    method          text NOT NULL CHECK (method IN ('ledger', 'crypto', 'bank', 'paypal')),
    -- Where to, if the method needs one.
    wallet_address  text,
    policy_id       bigint NOT NULL REFERENCES payout_policies (id),
    amount          bigint NOT NULL CHECK (amount > 0),
    platform_fee    bigint NOT NULL CHECK (platform_fee >= 0),
    processing_fee  bigint NOT NULL CHECK (processing_fee >= 0),
    net             bigint NOT NULL CHECK (net > 0),
    -- Null: asked for by a person; else the time of the run that made it.
    due_at          timestamptz,
    state           text NOT NULL DEFAULT 'requested' CHECK (state IN (
                        'requested', 'held', 'approved', 'batched', 'signed', 'submitted', 'confirmed',
                        'finalized', 'cancelled', 'rejected', 'failed', 'unknown')),
    -- Counts the changes; each has its row in payout_events.
    version         bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    -- The batch that it goes out with.
    batch_id        uuid,
    -- The transaction that paid it.
    transaction_id  uuid UNIQUE REFERENCES ledger_tx (id),
    failure_reason  text CHECK (length(failure_reason) BETWEEN 1 AND 500),
    requested_at    timestamptz NOT NULL DEFAULT now(),
    approved_at     timestamptz,
    processed_at    timestamptz,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (influencer_id, asset, due_at),
    CHECK (platform_fee::numeric + processing_fee + net = amount),
    CHECK ((state = 'finalized') = (transaction_id IS NOT NULL)),
    CHECK ((state IN ('finalized', 'cancelled', 'rejected', 'failed')) = (processed_at IS NOT NULL))
);
CREATE UNIQUE INDEX payouts_one_open ON payouts (influencer_id, asset)
    WHERE state NOT IN ('finalized', 'cancelled', 'rejected', 'failed');
CREATE INDEX payouts_approved ON payouts (approved_at, id) WHERE state = 'approved';
CREATE INDEX payouts_by_influencer ON payouts (influencer_id, requested_at DESC, id);
CREATE INDEX payouts_by_time ON payouts (requested_at DESC, id);

-- What happened to a payout, who did it and why.
CREATE TABLE payout_events (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payout_id   uuid NOT NULL REFERENCES payouts (id),
    -- That of the payout after it.
    version     bigint NOT NULL CHECK (version > 0),
    -- Null: it was asked for.
    from_state  text,
    to_state    text NOT NULL,
    -- user:<uid>, policy:<id>, job:<name> or adapter:<name>.
    actor       text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    reason      text CHECK (length(reason) BETWEEN 1 AND 500),
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (payout_id, version),
    CHECK ((version = 1) = (from_state IS NULL))
);

-- One row for each time that something is signed to pay a payout or a batch, committed before it is sent: a crash cannot
-- lose what may have been sent. The ledger pays in one transaction and has no attempts.
CREATE TABLE payout_attempts (
    id                       uuid PRIMARY KEY,
    payout_id                uuid REFERENCES payouts (id),
    batch_id                 uuid,
    -- From 1.
    number                   integer NOT NULL CHECK (number > 0),
    adapter                  text NOT NULL CHECK (adapter ~ '^[a-z_]+$'),
    state                    text NOT NULL DEFAULT 'signed' CHECK (state IN (
                                 'signed', 'submitted', 'confirmed', 'finalized', 'expired', 'failed', 'unknown')),
    -- Known before anything is sent.
    signature                text NOT NULL UNIQUE,
    signed_bytes             bytea NOT NULL,
    blockhash                text,
    last_valid_block_height  bigint CHECK (last_valid_block_height >= 0),
    slot                     bigint CHECK (slot >= 0),
    error                    text,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(payout_id, batch_id) = 1),
    UNIQUE NULLS NOT DISTINCT (payout_id, batch_id, number)
);
-- While one attempt may still take effect there is no other.
CREATE UNIQUE INDEX payout_attempts_one_alive ON payout_attempts (payout_id, batch_id) NULLS NOT DISTINCT
    WHERE state IN ('signed', 'submitted', 'confirmed', 'unknown');

-- Earnings on influencer:pending, and when they become payable.
CREATE TABLE held_earnings (
    id                      uuid PRIMARY KEY,
    influencer_id           uuid NOT NULL REFERENCES influencers (id),
    user_id                 uuid NOT NULL REFERENCES users (id),
    source                  text NOT NULL CHECK (source ~ '^[a-z_]+$'),
    source_ref              text NOT NULL,
    policy_id               bigint NOT NULL REFERENCES payout_policies (id),
    amount                  bigint NOT NULL CHECK (amount > 0),
    -- What put it there.
    transaction_id          uuid NOT NULL REFERENCES ledger_tx (id),
    release_at              timestamptz NOT NULL,
    released_at             timestamptz,
    release_transaction_id  uuid UNIQUE REFERENCES ledger_tx (id),
    created_at              timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, source_ref),
    CHECK ((released_at IS NULL) = (release_transaction_id IS NULL))
);
CREATE INDEX held_earnings_due ON held_earnings (release_at, id) WHERE released_at IS NULL;
CREATE INDEX held_earnings_by_transaction ON held_earnings (transaction_id);

-- What a payout on day 1 of a month needs to know.
ALTER TABLE influencers
    ADD COLUMN auto_payout boolean NOT NULL DEFAULT false,
    ADD COLUMN payout_method text NOT NULL DEFAULT 'ledger'
        CHECK (payout_method IN ('ledger', 'crypto', 'bank', 'paypal'));
CREATE INDEX influencers_auto_payout ON influencers (id) WHERE auto_payout;

-- History is only added to. Of a payout only where it is changes, never what it is.
GRANT SELECT, INSERT ON payout_policies, payout_events TO twist_app;
GRANT SELECT, INSERT, UPDATE (state, version, batch_id, transaction_id, failure_reason, approved_at, processed_at,
    updated_at) ON payouts TO twist_app;
GRANT SELECT, INSERT, UPDATE (state, slot, error, updated_at) ON payout_attempts TO twist_app;
GRANT SELECT, INSERT, UPDATE (released_at, release_transaction_id) ON held_earnings TO twist_app;
