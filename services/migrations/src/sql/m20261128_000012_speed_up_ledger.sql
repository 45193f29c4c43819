-- ledger_post does what it did, in less time: one transaction of two legs, which is what nearly every caller posts, has a way
-- of its own, and the general way asks only what it must.

-- The general way: any number of transactions with any number of legs. Arguments and errors are those of ledger_post.
--
-- The fingerprint is that of ledger_fingerprint, written out: a call costs ten times what it computes. Invariant L6 compares.
CREATE FUNCTION ledger_post_set(
    p_id uuid[], p_kind text[], p_source text[], p_effective timestamptz[],
    e_tx uuid[], e_account uuid[], e_side ledger_side[], e_amount bigint[]
) RETURNS SETOF uuid LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
-- With arrays of ids the planner would take longer than the work, and what it finds out is the same every time.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    fresh uuid[];
    prints bytea[];
    all_fresh boolean;
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

    SELECT array_agg(
        sha256(convert_to(
            jsonb_build_array(t.kind, t.source_ref, to_jsonb(e.accounts), to_jsonb(e.sides),
                              to_jsonb(e.amounts))::text,
            'UTF8'))
        ORDER BY t.place)
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

    -- When all are, the legs need not be looked up in the list.
    all_fresh := cardinality(fresh) = cardinality(p_id);
    -- A statement of its own, so that it sees what a concurrent call has committed meanwhile.
    IF NOT all_fresh AND EXISTS (
        SELECT FROM unnest(p_id, prints) AS given (id, fingerprint)
        JOIN ledger_tx t USING (id) WHERE t.fingerprint <> given.fingerprint
    ) THEN
        RAISE EXCEPTION 'an id was posted before with other content' USING ERRCODE = 'TW002';
    END IF;

    IF EXISTS (
        SELECT FROM unnest(e_tx, e_account, e_side) AS e (tx_id, account_id, side)
        JOIN ledger_account a ON a.id = e.account_id
        WHERE a.frozen AND e.side <> a.normal_side AND (all_fresh OR e.tx_id = ANY (fresh))
    ) THEN
        RAISE EXCEPTION 'an account is frozen' USING ERRCODE = 'TW004';
    END IF;

    INSERT INTO ledger_entry (account_id, account_version, tx_id, ordinal, side, amount)
    SELECT e.account_id, a.version + row_number() OVER (PARTITION BY e.account_id ORDER BY e.tx_id, e.place),
           e.tx_id, row_number() OVER (PARTITION BY e.tx_id ORDER BY e.place), e.side, e.amount
    FROM unnest(e_tx, e_account, e_side, e_amount)
         WITH ORDINALITY AS e (tx_id, account_id, side, amount, place)
    JOIN ledger_account a ON a.id = e.account_id
    WHERE all_fresh OR e.tx_id = ANY (fresh);

    UPDATE ledger_account a
    SET posted_debits = a.posted_debits + s.debits,
        posted_credits = a.posted_credits + s.credits,
        version = a.version + s.entries
    FROM (
        SELECT account_id, count(*) AS entries,
               coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debits,
               coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credits
        FROM unnest(e_tx, e_account, e_side, e_amount) AS e (tx_id, account_id, side, amount)
        WHERE all_fresh OR tx_id = ANY (fresh)
        GROUP BY account_id
    ) AS s
    WHERE a.id = s.account_id;

    RETURN QUERY SELECT unnest(fresh);
END $$;
-- It runs with the caller's rights and is of use only inside ledger_post.
REVOKE ALL ON FUNCTION
    ledger_post_set(uuid[], text[], text[], timestamptz[], uuid[], uuid[], ledger_side[], bigint[]) FROM PUBLIC;

-- Posts balanced transactions, all or none, and returns the ids that were not there before. Arguments and errors as ever.
--
-- One transaction that moves an amount from one account to another is done here, in four statements that find their rows
-- by key. Whatever is not exactly that, or would be refused, goes the general way, which says what is wrong with it.
CREATE OR REPLACE FUNCTION ledger_post(
    p_id uuid[], p_kind text[], p_source text[], p_effective timestamptz[],
    e_tx uuid[], e_account uuid[], e_side ledger_side[], e_amount bigint[]
) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    tx uuid := p_id[1];
    one uuid := e_account[1];
    two uuid := e_account[2];
    units bigint := e_amount[1];
    -- What of the amount is a debit of the first account, and so a credit of the second.
    debit bigint := CASE e_side[1] WHEN 'debit' THEN units ELSE 0 END;
    version_one bigint;
    version_two bigint;
    asset_one text;
    asset_two text;
    frozen_one boolean;
    frozen_two boolean;
    print bytea;
BEGIN
    -- A null anywhere makes this not true.
    IF cardinality(p_id) = 1 AND cardinality(p_kind) = 1 AND cardinality(p_source) = 1
        AND cardinality(p_effective) = 1 AND cardinality(e_tx) = 2 AND cardinality(e_account) = 2
        AND cardinality(e_side) = 2 AND cardinality(e_amount) = 2
        AND e_tx[1] = tx AND e_tx[2] = tx AND one <> two AND e_side[1] <> e_side[2] AND e_amount[2] = units
    THEN
        print := sha256(convert_to(
            jsonb_build_array(p_kind[1], p_source[1], to_jsonb(e_account), to_jsonb(e_side), to_jsonb(e_amount))::text,
            'UTF8'));
        -- Every writer locks accounts in the order of their ids, before anything else. What is read is what the row holds
        -- once it is locked. One row at a time: where many wait for one account, a query that was made to wait is run again.
        IF one < two THEN
            SELECT a.version, a.asset, a.frozen INTO version_one, asset_one, frozen_one
            FROM ledger_account a WHERE a.id = one FOR NO KEY UPDATE;
            SELECT a.version, a.asset, a.frozen INTO version_two, asset_two, frozen_two
            FROM ledger_account a WHERE a.id = two FOR NO KEY UPDATE;
        ELSE
            SELECT a.version, a.asset, a.frozen INTO version_two, asset_two, frozen_two
            FROM ledger_account a WHERE a.id = two FOR NO KEY UPDATE;
            SELECT a.version, a.asset, a.frozen INTO version_one, asset_one, frozen_one
            FROM ledger_account a WHERE a.id = one FOR NO KEY UPDATE;
        END IF;
        IF asset_one = asset_two AND NOT frozen_one AND NOT frozen_two THEN
            WITH inserted AS (
                INSERT INTO ledger_tx (id, kind, source_ref, fingerprint, effective_at)
                VALUES (tx, p_kind[1], p_source[1], print, p_effective[1])
                ON CONFLICT (id) DO NOTHING
                RETURNING id
            )
            INSERT INTO ledger_entry (account_id, account_version, tx_id, ordinal, side, amount)
            SELECT e.* FROM (VALUES
                (one, version_one + 1, tx, 1, e_side[1], units), (two, version_two + 1, tx, 2, e_side[2], units)
            ) AS e
            WHERE EXISTS (SELECT FROM inserted);
            IF NOT FOUND THEN
                -- A statement of its own, so that it sees what a concurrent call has committed meanwhile.
                IF (SELECT t.fingerprint FROM ledger_tx t WHERE t.id = tx) <> print THEN
                    RAISE EXCEPTION 'an id was posted before with other content' USING ERRCODE = 'TW002';
                END IF;
                RETURN;
            END IF;
            UPDATE ledger_account a
            SET posted_debits = a.posted_debits + s.debits,
                posted_credits = a.posted_credits + s.credits,
                version = a.version + 1
            FROM (VALUES (one, debit, units - debit), (two, units - debit, debit)) AS s (id, debits, credits)
            WHERE a.id = s.id;
            RETURN NEXT tx;
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT ledger_post_set(p_id, p_kind, p_source, p_effective, e_tx, e_account, e_side, e_amount);
END $$;
