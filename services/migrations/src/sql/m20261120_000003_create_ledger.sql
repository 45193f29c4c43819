-- The ledger is insert-only for every service: twist_app reads the tables and writes through the two
-- functions below, which run as their owner. Corrections are new transactions.

CREATE TYPE ledger_side AS ENUM ('debit', 'credit');

CREATE TABLE ledger_account (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL CHECK (kind ~ '^[a-z_]+:[a-z_]+$'),
    owner            uuid REFERENCES users (id),
    subject          uuid,
    stripe           smallint NOT NULL DEFAULT 0 CHECK (stripe >= 0),
    asset            text NOT NULL DEFAULT 'TWIST',
    normal_side      ledger_side NOT NULL,
    -- The lowest balance on the normal side, counting what is pending; null: no limit.
    floor            bigint,
    posted_debits    numeric(38, 0) NOT NULL DEFAULT 0 CHECK (posted_debits >= 0),
    posted_credits   numeric(38, 0) NOT NULL DEFAULT 0 CHECK (posted_credits >= 0),
    pending_debits   numeric(38, 0) NOT NULL DEFAULT 0 CHECK (pending_debits >= 0),
    pending_credits  numeric(38, 0) NOT NULL DEFAULT 0 CHECK (pending_credits >= 0),
    -- The number of entries so far; each entry carries the version it made.
    version          bigint NOT NULL DEFAULT 0,
    -- Nothing leaves a frozen account. What is owed to it is still credited, so that one user's freeze does
    -- not hold up the others of a batch.
    frozen           boolean NOT NULL DEFAULT false,
    opened_at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (kind, owner, subject, asset, stripe),
    CONSTRAINT ledger_account_floor CHECK (
        floor IS NULL OR floor <= CASE normal_side
            WHEN 'credit' THEN posted_credits - posted_debits - pending_debits
            ELSE posted_debits - posted_credits - pending_credits
        END
    )
);
CREATE INDEX ledger_account_by_owner ON ledger_account (owner) WHERE owner IS NOT NULL;

CREATE TABLE ledger_tx (
    -- Made by the client, so that posting twice is posting once.
    id            uuid PRIMARY KEY,
    kind          text NOT NULL,
    -- What caused it, e.g. a VAU id; one cause makes one transaction of a kind.
    source_ref    text NOT NULL,
    phase         text NOT NULL DEFAULT 'posted'
                  CHECK (phase IN ('posted', 'pending', 'post_pending', 'void_pending')),
    pending_id    uuid UNIQUE REFERENCES ledger_tx (id),
    expires_at    timestamptz,
    reverses      uuid UNIQUE REFERENCES ledger_tx (id),
    -- SHA-256 over kind, source and entries: tells a repeat from a conflict, and shows tampering.
    fingerprint   bytea NOT NULL CHECK (length(fingerprint) = 32),
    effective_at  timestamptz NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    seq           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    UNIQUE (kind, source_ref)
);

CREATE TABLE ledger_entry (
    account_id       uuid NOT NULL REFERENCES ledger_account (id),
    account_version  bigint NOT NULL CHECK (account_version > 0),
    tx_id            uuid NOT NULL REFERENCES ledger_tx (id),
    ordinal          integer NOT NULL CHECK (ordinal > 0),
    side             ledger_side NOT NULL,
    amount           bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (account_id, account_version),
    UNIQUE (tx_id, ordinal)
);

-- The hash chain over committed transactions, appended by one sealer in commit order.
CREATE TABLE ledger_seal (
    seq        bigint PRIMARY KEY,
    tx_id      uuid NOT NULL UNIQUE REFERENCES ledger_tx (id),
    prev_hash  bytea NOT NULL CHECK (length(prev_hash) = 32),
    hash       bytea NOT NULL CHECK (length(hash) = 32)
);

-- Every function names pg_temp last: unnamed it would come first, and a caller's temporary table would stand
-- in for the real one, with the owner's rights.

-- Over a JSON array, whose text has no two readings.
CREATE FUNCTION ledger_fingerprint(
    kind text, source_ref text, accounts uuid[], sides ledger_side[], amounts bigint[]
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp
RETURN sha256(convert_to(
    jsonb_build_array(kind, source_ref, to_jsonb(accounts), to_jsonb(sides), to_jsonb(amounts))::text,
    'UTF8'));

-- Opens accounts that are not there yet; those that are stay as they are.
CREATE FUNCTION ledger_open(
    p_id uuid[], p_kind text[], p_owner uuid[], p_stripe smallint[], p_normal ledger_side[],
    p_floor bigint[]
) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO ledger_account (id, kind, owner, stripe, normal_side, floor)
    SELECT * FROM unnest(p_id, p_kind, p_owner, p_stripe, p_normal, p_floor) AS a (id)
    ORDER BY a.id
    ON CONFLICT DO NOTHING;
$$;

-- Posts balanced transactions, all or none, and returns the ids that were not there before.
--
-- Transaction i is p_id[i], p_kind[i], p_source[i], p_effective[i]; entry j belongs to e_tx[j], and a
-- transaction's entries count in the order given. Errors (SQLSTATE): TW001 an account does not exist,
-- TW002 an id was posted before with other content, TW003 not balanced or empty, TW004 money would leave a
-- frozen account, TW005 an id stands twice in the call, 23514 on ledger_account_floor: not enough funds.
CREATE FUNCTION ledger_post(
    p_id uuid[], p_kind text[], p_source text[], p_effective timestamptz[],
    e_tx uuid[], e_account uuid[], e_side ledger_side[], e_amount bigint[]
) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    fresh uuid[];
    prints bytea[];
BEGIN
    IF cardinality(p_id) <> (SELECT count(DISTINCT id) FROM unnest(p_id) AS id) THEN
        RAISE EXCEPTION 'a transaction id stands twice in one call' USING ERRCODE = 'TW005';
    END IF;

    -- Every writer locks accounts in the order of their ids, before anything else.
    PERFORM FROM ledger_account WHERE id = ANY (e_account) ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM unnest(e_account) AS wanted (id)
        WHERE NOT EXISTS (SELECT FROM ledger_account a WHERE a.id = wanted.id)
    ) THEN
        RAISE EXCEPTION 'an account does not exist' USING ERRCODE = 'TW001';
    END IF;

    IF EXISTS (SELECT id FROM unnest(p_id) AS id EXCEPT SELECT id FROM unnest(e_tx) AS id)
        OR EXISTS (SELECT id FROM unnest(e_tx) AS id EXCEPT SELECT id FROM unnest(p_id) AS id)
        OR EXISTS (
            SELECT FROM unnest(e_tx, e_account, e_side, e_amount) AS e (tx_id, account_id, side, amount)
            JOIN ledger_account a ON a.id = e.account_id
            GROUP BY e.tx_id, a.asset
            HAVING sum(CASE e.side WHEN 'debit' THEN e.amount::numeric ELSE -e.amount::numeric END) <> 0
        )
    THEN
        RAISE EXCEPTION 'a transaction is empty or does not balance' USING ERRCODE = 'TW003';
    END IF;

    SELECT array_agg(ledger_fingerprint(t.kind, t.source_ref, e.accounts, e.sides, e.amounts) ORDER BY t.place)
    INTO prints
    FROM unnest(p_id, p_kind, p_source) WITH ORDINALITY AS t (id, kind, source_ref, place)
    JOIN (
        SELECT tx_id, array_agg(account_id ORDER BY place) AS accounts,
               array_agg(side ORDER BY place) AS sides, array_agg(amount ORDER BY place) AS amounts
        FROM unnest(e_tx, e_account, e_side, e_amount)
             WITH ORDINALITY AS e (tx_id, account_id, side, amount, place)
        GROUP BY tx_id
    ) AS e ON e.tx_id = t.id;

    WITH inserted AS (
        INSERT INTO ledger_tx (id, kind, source_ref, fingerprint, effective_at)
        SELECT t.id, t.kind, t.source_ref, t.fingerprint, t.effective_at
        FROM unnest(p_id, p_kind, p_source, prints, p_effective)
             AS t (id, kind, source_ref, fingerprint, effective_at)
        ORDER BY t.id
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    )
    SELECT coalesce(array_agg(id), '{}') INTO fresh FROM inserted;

    -- A statement of its own, so that it sees what a concurrent call has committed meanwhile.
    IF EXISTS (
        SELECT FROM unnest(p_id, prints) AS given (id, fingerprint)
        JOIN ledger_tx t USING (id) WHERE t.fingerprint <> given.fingerprint
    ) THEN
        RAISE EXCEPTION 'an id was posted before with other content' USING ERRCODE = 'TW002';
    END IF;

    IF EXISTS (
        SELECT FROM unnest(e_tx, e_account, e_side) AS e (tx_id, account_id, side)
        JOIN ledger_account a ON a.id = e.account_id
        WHERE a.frozen AND e.side <> a.normal_side AND e.tx_id = ANY (fresh)
    ) THEN
        RAISE EXCEPTION 'an account is frozen' USING ERRCODE = 'TW004';
    END IF;

    INSERT INTO ledger_entry (account_id, account_version, tx_id, ordinal, side, amount)
    SELECT e.account_id, a.version + row_number() OVER (PARTITION BY e.account_id ORDER BY e.place),
           e.tx_id, row_number() OVER (PARTITION BY e.tx_id ORDER BY e.place), e.side, e.amount
    FROM unnest(e_tx, e_account, e_side, e_amount)
         WITH ORDINALITY AS e (tx_id, account_id, side, amount, place)
    JOIN ledger_account a ON a.id = e.account_id
    WHERE e.tx_id = ANY (fresh);

    UPDATE ledger_account a
    SET posted_debits = a.posted_debits + s.debits,
        posted_credits = a.posted_credits + s.credits,
        version = a.version + s.entries
    FROM (
        SELECT account_id, count(*) AS entries,
               coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debits,
               coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credits
        FROM unnest(e_tx, e_account, e_side, e_amount) AS e (tx_id, account_id, side, amount)
        WHERE tx_id = ANY (fresh)
        GROUP BY account_id
    ) AS s
    WHERE a.id = s.account_id;

    RETURN QUERY SELECT unnest(fresh);
END $$;

GRANT SELECT ON ledger_account, ledger_tx, ledger_entry, ledger_seal TO twist_app;
REVOKE ALL ON FUNCTION ledger_open, ledger_post, ledger_fingerprint FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_open, ledger_post, ledger_fingerprint TO twist_app;
