-- Influencers, their pools and who has staked there. Rows are locked in one order everywhere: the pool, the
-- position, the ledger's accounts. Money itself is in the ledger; check L11 compares the two.

CREATE TABLE influencers (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL CONSTRAINT influencers_one_per_user UNIQUE REFERENCES users (id),
    username      text NOT NULL CONSTRAINT influencers_username UNIQUE
                  CHECK (username ~ '^[a-z0-9_]{3,30}$'),
    display_name  text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 100),
    avatar        text CHECK (length(avatar) <= 500),
    bio           text CHECK (length(bio) <= 1000),
    verified      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE staking_pools (
    id                 uuid PRIMARY KEY,
    influencer_id      uuid NOT NULL UNIQUE REFERENCES influencers (id),
    -- What was promised; in force is never more than the tier's maximum.
    revenue_share_bps  integer NOT NULL CHECK (revenue_share_bps BETWEEN 0 AND 5000),
    min_stake          bigint NOT NULL CHECK (min_stake > 0),
    cooldown_seconds   integer NOT NULL DEFAULT 0 CHECK (cooldown_seconds BETWEEN 0 AND 31536000),
    -- In 2^-64 base units, below 2^127.
    accumulator        numeric(39, 0) NOT NULL DEFAULT 0 CHECK (accumulator >= 0),
    ahead              numeric(39, 0) NOT NULL DEFAULT 0 CHECK (ahead >= 0),
    total_staked       bigint NOT NULL DEFAULT 0 CHECK (total_staked >= 0),
    staker_count       integer NOT NULL DEFAULT 0 CHECK (staker_count >= 0),
    -- Sums over the pool's life: earnings, the stakers' part of them, and what of that was claimed.
    earned             bigint NOT NULL DEFAULT 0 CHECK (earned >= distributed),
    distributed        bigint NOT NULL DEFAULT 0 CHECK (distributed >= claimed),
    claimed            bigint NOT NULL DEFAULT 0 CHECK (claimed >= 0),
    active             boolean NOT NULL DEFAULT true,
    version            bigint NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CHECK ((total_staked = 0) = (staker_count = 0))
);
CREATE INDEX staking_pools_by_stake ON staking_pools (total_staked DESC) WHERE active;

CREATE TABLE stakes (
    pool_id         uuid NOT NULL REFERENCES staking_pools (id),
    user_id         uuid NOT NULL REFERENCES users (id),
    -- The wallet that acted last.
    wallet_address  text NOT NULL REFERENCES wallets (address),
    amount          bigint NOT NULL CHECK (amount >= 0),
    -- The accumulator up to which carried is complete, and what was earned till then: 2^-64 base units.
    debt            numeric(39, 0) NOT NULL CHECK (debt >= 0),
    carried         numeric(39, 0) NOT NULL CHECK (carried >= 0),
    total_claimed   bigint NOT NULL DEFAULT 0 CHECK (total_claimed >= 0),
    -- Since when the amount is above zero, and when it grew last.
    staked_at       timestamptz NOT NULL DEFAULT now(),
    last_staked_at  timestamptz NOT NULL DEFAULT now(),
    version         bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (pool_id, user_id)
);
CREATE INDEX stakes_by_user ON stakes (user_id);
CREATE INDEX stakes_by_amount ON stakes (pool_id, amount DESC) WHERE amount > 0;
CREATE INDEX stakes_by_time ON stakes (pool_id, staked_at DESC) WHERE amount > 0;

CREATE TABLE stake_events (
    seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              uuid NOT NULL UNIQUE,
    pool_id         uuid NOT NULL REFERENCES staking_pools (id),
    user_id         uuid NOT NULL REFERENCES users (id),
    wallet_address  text NOT NULL,
    action          text NOT NULL CHECK (action IN ('stake', 'unstake', 'claim')),
    amount          bigint NOT NULL CHECK (amount > 0),
    transaction_id  uuid NOT NULL UNIQUE REFERENCES ledger_tx (id),
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stake_events_by_user ON stake_events (user_id, seq DESC);
CREATE INDEX stake_events_by_pool ON stake_events (pool_id, seq DESC);
CREATE INDEX stake_events_by_pool_time ON stake_events (pool_id, created_at);

CREATE TABLE distributions (
    id                 uuid PRIMARY KEY,
    pool_id            uuid NOT NULL REFERENCES staking_pools (id),
    -- What was earned: one cause is distributed once.
    source             text NOT NULL CHECK (source ~ '^[a-z_]+$'),
    source_ref         text NOT NULL,
    amount             bigint NOT NULL CHECK (amount > 0),
    revenue_share_bps  integer NOT NULL CHECK (revenue_share_bps BETWEEN 0 AND 5000),
    staker_share       bigint NOT NULL CHECK (staker_share >= 0),
    influencer_share   bigint NOT NULL CHECK (influencer_share >= 0),
    -- As they were after it.
    accumulator        numeric(39, 0) NOT NULL,
    total_staked       bigint NOT NULL CHECK (total_staked > 0),
    transaction_id     uuid NOT NULL UNIQUE REFERENCES ledger_tx (id),
    distributed_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, source_ref),
    CHECK (staker_share + influencer_share = amount)
);
CREATE INDEX distributions_by_pool ON distributions (pool_id, distributed_at DESC);

GRANT SELECT, INSERT, UPDATE ON influencers, staking_pools, stakes TO twist_app;
-- History is only added to.
GRANT SELECT, INSERT ON stake_events, distributions TO twist_app;
