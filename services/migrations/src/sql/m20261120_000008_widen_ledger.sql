-- The rest of the chart of accounts, two-phase transactions, reversals, freezes and the sealer.

-- Opens accounts that are not there yet; those that are stay as they are, and are not even waited for: a
-- conflict with a row that somebody is posting to would wait until that one commits.
CREATE FUNCTION ledger_open(
    p_id uuid[], p_kind text[], p_owner uuid[], p_subject uuid[], p_stripe smallint[],
    p_normal ledger_side[], p_floor bigint[]
) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO ledger_account (id, kind, owner, subject, stripe, normal_side, floor)
    SELECT * FROM unnest(p_id, p_kind, p_owner, p_subject, p_stripe, p_normal, p_floor) AS a (id)
    WHERE NOT EXISTS (SELECT FROM ledger_account o WHERE o.id = a.id)
    ORDER BY a.id
    ON CONFLICT DO NOTHING;
$$;

REVOKE ALL ON FUNCTION
    ledger_open(uuid[], text[], uuid[], uuid[], smallint[], ledger_side[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    ledger_open(uuid[], text[], uuid[], uuid[], smallint[], ledger_side[], bigint[]) TO twist_app;

-- Two phases: a pending transaction reserves, and is then posted or voided, once. The outcome is a
-- transaction of its own that names the pending one; posting books the entries, voiding books none.

-- What pending transactions reserve. Kept apart, so that ledger_entry holds what was booked and nothing else.
CREATE TABLE ledger_pending_entry (
    tx_id       uuid NOT NULL REFERENCES ledger_tx (id),
    ordinal     integer NOT NULL CHECK (ordinal > 0),
    account_id  uuid NOT NULL REFERENCES ledger_account (id),
    side        ledger_side NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (tx_id, ordinal)
);

-- The transactions that are pending now, so that a sweep does not read all that ever were. A row goes when
-- its transaction is settled.
CREATE TABLE ledger_pending (
    tx_id       uuid PRIMARY KEY REFERENCES ledger_tx (id),
    -- Null: until somebody settles it.
    expires_at  timestamptz
);
CREATE INDEX ledger_pending_due ON ledger_pending (expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE ledger_tx ADD CONSTRAINT ledger_tx_phase_parts CHECK (
    (pending_id IS NOT NULL) = (phase IN ('post_pending', 'void_pending'))
    AND (expires_at IS NULL OR phase = 'pending')
    AND (reverses IS NULL OR phase = 'posted')
);

-- Who froze or released an account, and why. Insert-only.
CREATE TABLE ledger_freeze (
    -- Made by the client, so that asking twice is asking once.
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES ledger_account (id),
    frozen       boolean NOT NULL,
    reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    actor        text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    -- In the order in which they took effect on an account.
    seq          bigint GENERATED ALWAYS AS IDENTITY UNIQUE
);
CREATE INDEX ledger_freeze_by_account ON ledger_freeze (account_id, seq DESC);

-- As ledger_fingerprint for what it was made for; other phases and reversals say what they are as well, so
-- that none can be taken for a plain posting of the same entries.
CREATE FUNCTION ledger_print(
    kind text, source_ref text, phase text, pending_id uuid, reverses uuid,
    accounts uuid[], sides ledger_side[], amounts bigint[]
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp
RETURN CASE
    WHEN phase = 'posted' AND reverses IS NULL
    THEN ledger_fingerprint(kind, source_ref, accounts, sides, amounts)
    ELSE sha256(convert_to(
        jsonb_build_array(kind, source_ref, to_jsonb(accounts), to_jsonb(sides), to_jsonb(amounts),
                          phase, pending_id, reverses)::text,
        'UTF8'))
END;

-- Locks accounts in the order of their ids, as every writer does before anything else.
CREATE FUNCTION ledger_lock(p_account uuid[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM FROM ledger_account WHERE id = ANY (p_account) ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM unnest(p_account) AS wanted (id)
        WHERE NOT EXISTS (SELECT FROM ledger_account a WHERE a.id = wanted.id)
    ) THEN
        RAISE EXCEPTION 'an account does not exist' USING ERRCODE = 'TW001';
    END IF;
END $$;

-- Refuses to take money from a frozen account.
CREATE FUNCTION ledger_thaw_check(p_account uuid[], p_side ledger_side[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(p_account, p_side) AS e (account_id, side)
        JOIN ledger_account a ON a.id = e.account_id
        WHERE a.frozen AND e.side <> a.normal_side
    ) THEN
        RAISE EXCEPTION 'an account is frozen' USING ERRCODE = 'TW004';
    END IF;
END $$;

-- Inserts a transaction and says whether it is new; TW002 if the id was used for something else.
CREATE FUNCTION ledger_enter(
    p_id uuid, p_kind text, p_source text, p_effective timestamptz, p_phase text, p_pending uuid,
    p_expires timestamptz, p_reverses uuid, p_account uuid[], p_side ledger_side[], p_amount bigint[]
) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    print bytea := ledger_print(p_kind, p_source, p_phase, p_pending, p_reverses,
                                p_account, p_side, p_amount);
BEGIN
    INSERT INTO ledger_tx (id, kind, source_ref, effective_at, phase, pending_id, expires_at, reverses,
                           fingerprint)
    VALUES (p_id, p_kind, p_source, p_effective, p_phase, p_pending, p_expires, p_reverses, print)
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    IF (SELECT fingerprint FROM ledger_tx WHERE id = p_id) IS DISTINCT FROM print THEN
        RAISE EXCEPTION 'an id was posted before with other content' USING ERRCODE = 'TW002';
    END IF;
    RETURN false;
END $$;

-- Books the entries of a transaction that was just entered. Its accounts are locked.
CREATE FUNCTION ledger_book(p_id uuid, p_account uuid[], p_side ledger_side[], p_amount bigint[])
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO ledger_entry (account_id, account_version, tx_id, ordinal, side, amount)
    SELECT e.account_id, a.version + row_number() OVER (PARTITION BY e.account_id ORDER BY e.place),
           p_id, e.place, e.side, e.amount
    FROM unnest(p_account, p_side, p_amount) WITH ORDINALITY AS e (account_id, side, amount, place)
    JOIN ledger_account a ON a.id = e.account_id;

    UPDATE ledger_account a
    SET posted_debits = a.posted_debits + s.debits,
        posted_credits = a.posted_credits + s.credits,
        version = a.version + s.entries
    FROM (
        SELECT account_id, count(*) AS entries,
               coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debits,
               coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credits
        FROM unnest(p_account, p_side, p_amount) AS e (account_id, side, amount)
        GROUP BY account_id
    ) AS s
    WHERE a.id = s.account_id;
$$;

-- Adds to what is pending, or with -1 takes it off again.
CREATE FUNCTION ledger_hold(p_sign integer, p_account uuid[], p_side ledger_side[], p_amount bigint[])
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, public, pg_temp
AS $$
    UPDATE ledger_account a
    SET pending_debits = a.pending_debits + p_sign * s.debits,
        pending_credits = a.pending_credits + p_sign * s.credits
    FROM (
        SELECT account_id,
               coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debits,
               coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credits
        FROM unnest(p_account, p_side, p_amount) AS e (account_id, side, amount)
        GROUP BY account_id
    ) AS s
    WHERE a.id = s.account_id;
$$;

-- Reserves: enters a pending transaction, which expires p_lifetime from now, or never if that is null. Says
-- whether it is new. Errors as of ledger_post.
CREATE FUNCTION ledger_reserve(
    p_id uuid, p_kind text, p_source text, p_effective timestamptz, p_lifetime interval,
    e_account uuid[], e_side ledger_side[], e_amount bigint[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    expires timestamptz;
BEGIN
    PERFORM ledger_lock(e_account);
    IF cardinality(e_account) = 0 OR EXISTS (
        SELECT FROM unnest(e_account, e_side, e_amount) AS e (account_id, side, amount)
        LEFT JOIN ledger_account a ON a.id = e.account_id
        GROUP BY a.asset
        HAVING sum(CASE e.side WHEN 'debit' THEN e.amount::numeric ELSE -e.amount::numeric END)
            IS DISTINCT FROM 0
    ) THEN
        RAISE EXCEPTION 'a transaction is empty or does not balance' USING ERRCODE = 'TW003';
    END IF;
    expires := clock_timestamp() + p_lifetime;
    IF NOT ledger_enter(p_id, p_kind, p_source, p_effective, 'pending', NULL, expires, NULL,
                        e_account, e_side, e_amount)
    THEN
        RETURN false;
    END IF;
    PERFORM ledger_thaw_check(e_account, e_side);
    INSERT INTO ledger_pending_entry (tx_id, ordinal, account_id, side, amount)
    SELECT p_id, e.place, e.account_id, e.side, e.amount
    FROM unnest(e_account, e_side, e_amount) WITH ORDINALITY AS e (account_id, side, amount, place);
    INSERT INTO ledger_pending (tx_id, expires_at) VALUES (p_id, expires);
    PERFORM ledger_hold(1, e_account, e_side, e_amount);
    RETURN true;
END $$;

-- Settles a pending transaction: p_phase is post_pending or void_pending. Says whether that is new. Errors:
-- TW002 the id was used for something else, TW004 money would leave a frozen account, TW006 there is no such
-- pending transaction, TW007 it is too late to post it, TW008 it was settled by another transaction.
CREATE FUNCTION ledger_settle(
    p_id uuid, p_kind text, p_source text, p_effective timestamptz, p_phase text, p_pending uuid
) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    accounts uuid[];
    sides ledger_side[];
    amounts bigint[];
    settled_by uuid;
BEGIN
    SELECT array_agg(account_id ORDER BY ordinal), array_agg(side ORDER BY ordinal),
           array_agg(amount ORDER BY ordinal)
    INTO accounts, sides, amounts
    FROM ledger_pending_entry WHERE tx_id = p_pending;
    IF accounts IS NULL THEN
        RAISE EXCEPTION 'there is no such pending transaction' USING ERRCODE = 'TW006';
    END IF;
    PERFORM ledger_lock(accounts);
    SELECT id INTO settled_by FROM ledger_tx WHERE pending_id = p_pending;
    IF settled_by <> p_id THEN
        RAISE EXCEPTION 'the transaction was settled before' USING ERRCODE = 'TW008';
    END IF;
    IF p_phase = 'void_pending' THEN
        IF NOT ledger_enter(p_id, p_kind, p_source, p_effective, p_phase, p_pending, NULL, NULL,
                            '{}', '{}', '{}')
        THEN
            RETURN false;
        END IF;
    ELSE
        IF NOT ledger_enter(p_id, p_kind, p_source, p_effective, p_phase, p_pending, NULL, NULL,
                            accounts, sides, amounts)
        THEN
            RETURN false;
        END IF;
        IF (SELECT expires_at <= clock_timestamp() FROM ledger_pending WHERE tx_id = p_pending) THEN
            RAISE EXCEPTION 'the pending transaction has expired' USING ERRCODE = 'TW007';
        END IF;
        PERFORM ledger_thaw_check(accounts, sides);
    END IF;
    PERFORM ledger_hold(-1, accounts, sides, amounts);
    IF p_phase = 'post_pending' THEN
        PERFORM ledger_book(p_id, accounts, sides, amounts);
    END IF;
    DELETE FROM ledger_pending WHERE tx_id = p_pending;
    RETURN true;
END $$;

CREATE FUNCTION ledger_post_pending(
    p_id uuid, p_kind text, p_source text, p_effective timestamptz, p_pending uuid
) RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT ledger_settle(p_id, p_kind, p_source, p_effective, 'post_pending', p_pending) $$;

CREATE FUNCTION ledger_void_pending(
    p_id uuid, p_kind text, p_source text, p_effective timestamptz, p_pending uuid
) RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT ledger_settle(p_id, p_kind, p_source, p_effective, 'void_pending', p_pending) $$;

-- Voids up to p_limit pending transactions whose time is over, longest overdue first, and returns them. Any
-- number may run at once: who comes second finds them gone.
CREATE FUNCTION ledger_expire(p_limit integer) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    due uuid[];
    one uuid;
BEGIN
    due := array(
        SELECT tx_id FROM ledger_pending WHERE expires_at <= clock_timestamp()
        ORDER BY expires_at, tx_id LIMIT p_limit);
    -- All accounts before the first transaction; looked at again once nobody else can settle them.
    PERFORM ledger_lock(array(SELECT account_id FROM ledger_pending_entry WHERE tx_id = ANY (due)));
    FOREACH one IN ARRAY array(
        SELECT tx_id FROM ledger_pending WHERE tx_id = ANY (due) ORDER BY expires_at, tx_id)
    LOOP
        PERFORM ledger_settle(gen_random_uuid(), 'pending_expired', one::text, clock_timestamp(),
                              'void_pending', one);
        RETURN NEXT one;
    END LOOP;
END $$;

-- Books the opposite of a transaction. Says whether that is new. Errors: TW002 and TW004 as of ledger_post
-- and 23514 on ledger_account_floor; TW006 nothing was booked under that id, TW008 it was reversed by another
-- transaction, TW009 it is a reversal itself.
CREATE FUNCTION ledger_reverse(
    p_id uuid, p_kind text, p_source text, p_effective timestamptz, p_reverses uuid
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    accounts uuid[];
    sides ledger_side[];
    amounts bigint[];
    reversed_by uuid;
BEGIN
    SELECT array_agg(account_id ORDER BY ordinal),
           array_agg((CASE side WHEN 'debit' THEN 'credit' ELSE 'debit' END)::ledger_side ORDER BY ordinal),
           array_agg(amount ORDER BY ordinal)
    INTO accounts, sides, amounts
    FROM ledger_entry WHERE tx_id = p_reverses;
    IF accounts IS NULL THEN
        RAISE EXCEPTION 'nothing was booked under that id' USING ERRCODE = 'TW006';
    END IF;
    IF (SELECT reverses IS NOT NULL FROM ledger_tx WHERE id = p_reverses) THEN
        RAISE EXCEPTION 'a reversal is not reversed' USING ERRCODE = 'TW009';
    END IF;
    PERFORM ledger_lock(accounts);
    SELECT id INTO reversed_by FROM ledger_tx WHERE reverses = p_reverses;
    IF reversed_by <> p_id THEN
        RAISE EXCEPTION 'the transaction was reversed before' USING ERRCODE = 'TW008';
    END IF;
    IF NOT ledger_enter(p_id, p_kind, p_source, p_effective, 'posted', NULL, NULL, p_reverses,
                        accounts, sides, amounts)
    THEN
        RETURN false;
    END IF;
    PERFORM ledger_thaw_check(accounts, sides);
    PERFORM ledger_book(p_id, accounts, sides, amounts);
    RETURN true;
END $$;

-- Freezes an account, or releases it. Says whether that is new; TW001 and TW002 as of ledger_post.
CREATE FUNCTION ledger_set_frozen(
    p_id uuid, p_account uuid, p_frozen boolean, p_reason text, p_actor text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM ledger_lock(ARRAY[p_account]);
    INSERT INTO ledger_freeze (id, account_id, frozen, reason, actor)
    VALUES (p_id, p_account, p_frozen, p_reason, p_actor) ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        IF NOT EXISTS (
            SELECT FROM ledger_freeze WHERE (id, account_id, frozen, reason, actor)
                = (p_id, p_account, p_frozen, p_reason, p_actor)
        ) THEN
            RAISE EXCEPTION 'an id was used before with other content' USING ERRCODE = 'TW002';
        END IF;
        RETURN false;
    END IF;
    UPDATE ledger_account SET frozen = p_frozen WHERE id = p_account;
    RETURN true;
END $$;

GRANT SELECT ON ledger_pending_entry, ledger_pending, ledger_freeze TO twist_app;
-- Those that run with the caller's rights are of use only inside the others.
REVOKE ALL ON FUNCTION ledger_print, ledger_lock, ledger_thaw_check, ledger_enter, ledger_book, ledger_hold,
    ledger_settle, ledger_reserve, ledger_post_pending, ledger_void_pending, ledger_expire, ledger_reverse,
    ledger_set_frozen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_print, ledger_reserve, ledger_post_pending, ledger_void_pending,
    ledger_expire, ledger_reverse, ledger_set_frozen TO twist_app;

-- The sealer. What it seals is ledger_bytes: everything about a transaction, as docs/reference/ledger.md lays
-- it out, so that others can compute it from the rows alone.

CREATE FUNCTION ledger_lp(t text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp
RETURN int4send(octet_length(convert_to(t, 'UTF8'))) || convert_to(t, 'UTF8');

-- Microseconds since 1970; null is the lowest number there is.
CREATE FUNCTION ledger_time(t timestamptz) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp
RETURN int8send(coalesce((extract(epoch FROM t) * 1000000)::bigint, -9223372036854775808));

CREATE FUNCTION ledger_id(id uuid) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp
RETURN uuid_send(coalesce(id, '00000000-0000-0000-0000-000000000000'));

CREATE FUNCTION ledger_bytes(p_tx uuid) RETURNS bytea LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT convert_to('twist-ledger-v1', 'UTF8') || ledger_id(t.id) || ledger_lp(t.kind)
        || ledger_lp(t.source_ref) || ledger_lp(t.phase) || ledger_id(t.pending_id)
        || ledger_id(t.reverses) || ledger_time(t.effective_at) || ledger_time(t.recorded_at)
        || ledger_time(t.expires_at) || int4send(e.n::integer) || e.bytes
    FROM ledger_tx t, LATERAL (
        SELECT count(*) AS n,
               coalesce(string_agg(ledger_id(l.account_id) || int8send(l.account_version)
                   || CASE l.side WHEN 'debit' THEN '\x00'::bytea ELSE '\x01'::bytea END || int8send(l.amount),
                   '' ORDER BY l.ordinal), '') AS bytes
        FROM (
            SELECT ordinal, account_id, account_version, side, amount
            FROM ledger_entry WHERE tx_id = t.id
            UNION ALL
            SELECT ordinal, account_id, 0, side, amount
            FROM ledger_pending_entry WHERE tx_id = t.id
        ) AS l
    ) AS e
    WHERE t.id = p_tx
$$;

-- How far the sealer need not look back: every transaction up to sealed_through is sealed or was rolled back.
--
-- A number of ledger_tx may still be on its way when a higher one is committed, so the mark follows in steps:
-- a number seen committed (candidate), then a database transaction younger than all that can have taken a
-- number up to it (candidate_xid), and once all older than that have ended, the mark. Writers take their
-- number after they have locked accounts, when they have an xid already.
CREATE TABLE ledger_seal_mark (
    single          boolean PRIMARY KEY DEFAULT true CHECK (single),
    sealed_through  bigint NOT NULL DEFAULT 0,
    candidate       bigint,
    candidate_xid   xid8
);
INSERT INTO ledger_seal_mark DEFAULT VALUES;

-- Seals up to p_limit transactions that are committed and not sealed, in the order of their numbers, and
-- says how many. One that commits late is sealed late; none is skipped. Runs one at a time.
CREATE FUNCTION ledger_seal(p_limit integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    mark ledger_seal_mark;
    next_seq bigint;
    prev bytea;
    this bytea;
    one record;
    sealed integer := 0;
    -- Then this database transaction may be older than a number that is still on its way.
    had_xid boolean := pg_current_xact_id_if_assigned() IS NOT NULL;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('twist:ledger_seal', 0));
    SELECT * INTO mark FROM ledger_seal_mark;
    SELECT seq, hash INTO next_seq, prev FROM ledger_seal ORDER BY seq DESC LIMIT 1;
    next_seq := coalesce(next_seq, 0);
    prev := coalesce(prev, sha256('twist-ledger-v1'));
    FOR one IN
        SELECT t.id, ledger_bytes(t.id) AS bytes FROM ledger_tx t
        WHERE t.seq > mark.sealed_through AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.tx_id = t.id)
        ORDER BY t.seq LIMIT p_limit
    LOOP
        next_seq := next_seq + 1;
        this := sha256(prev || one.bytes);
        INSERT INTO ledger_seal (seq, tx_id, prev_hash, hash) VALUES (next_seq, one.id, prev, this);
        prev := this;
        sealed := sealed + 1;
    END LOOP;

    IF sealed < p_limit THEN
        -- All that this saw is sealed, so the mark may move.
        IF mark.candidate_xid IS NOT NULL AND mark.candidate_xid > pg_current_xact_id() THEN
            -- From another cluster, which this one was copied from: it says nothing here.
            mark.candidate_xid := NULL;
        END IF;
        IF mark.candidate IS NULL THEN
            mark.candidate := (SELECT max(seq) FROM ledger_tx WHERE seq > mark.sealed_through);
        ELSIF mark.candidate_xid IS NULL THEN
            IF NOT had_xid THEN
                mark.candidate_xid := pg_current_xact_id();
            END IF;
        ELSIF mark.candidate_xid <= pg_snapshot_xmin(pg_current_snapshot())
            AND NOT EXISTS (
                SELECT FROM ledger_tx t
                WHERE t.seq > mark.sealed_through AND t.seq <= mark.candidate
                    AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.tx_id = t.id))
        THEN
            mark.sealed_through := mark.candidate;
            mark.candidate := NULL;
            mark.candidate_xid := NULL;
        END IF;
        UPDATE ledger_seal_mark m
        SET sealed_through = mark.sealed_through, candidate = mark.candidate,
            candidate_xid = mark.candidate_xid
        WHERE (m.sealed_through, m.candidate, m.candidate_xid)
            IS DISTINCT FROM (mark.sealed_through, mark.candidate, mark.candidate_xid);
    END IF;
    RETURN sealed;
END $$;

-- How many committed transactions are not sealed, and how long the oldest of them has waited.
CREATE FUNCTION ledger_seal_lag(OUT unsealed bigint, OUT oldest_seconds double precision)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(t.recorded_at)), 0)
    FROM ledger_tx t
    WHERE t.seq > (SELECT sealed_through FROM ledger_seal_mark)
        AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.tx_id = t.id)
$$;

GRANT SELECT ON ledger_seal_mark TO twist_app;
REVOKE ALL ON FUNCTION ledger_lp, ledger_time, ledger_id, ledger_bytes, ledger_seal, ledger_seal_lag FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_lp, ledger_time, ledger_id, ledger_bytes, ledger_seal, ledger_seal_lag
    TO twist_app;

-- ledger_post as before, but for one thing: an account's versions follow the transactions' numbers within a
-- call too (the numbers are given in the order of the ids), so that an account can be read backwards page
-- by page.
CREATE OR REPLACE FUNCTION ledger_post(
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
    SELECT e.account_id, a.version + row_number() OVER (PARTITION BY e.account_id ORDER BY e.tx_id, e.place),
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

-- A plan is made once for a connection and not for each call: with arrays of ids the planner would take longer than the
-- work, and what it finds out is the same every time.
ALTER FUNCTION ledger_post(uuid[], text[], text[], timestamptz[], uuid[], uuid[], ledger_side[], bigint[])
    SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION ledger_reserve(uuid, text, text, timestamptz, interval, uuid[], ledger_side[], bigint[])
    SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION ledger_settle(uuid, text, text, timestamptz, text, uuid)
    SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION ledger_reverse(uuid, text, text, timestamptz, uuid)
    SET plan_cache_mode = force_generic_plan;
