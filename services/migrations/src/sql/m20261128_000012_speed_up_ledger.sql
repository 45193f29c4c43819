-- Posting, in less time: what nearly every caller posts, one transaction of two legs, has a function of its own, and the one for
-- all others asks only what it must.

-- Posts one transaction that moves an amount from one account to another, and says whether it is new. It is what
-- ledger_post does with a debit and a credit, in this order, and fails as that does; this one finds its rows by key, and is
-- called with values in place of lists.
CREATE FUNCTION ledger_transfer(
    p_id uuid, p_kind text, p_source text, p_effective_ms bigint, p_debit uuid, p_credit uuid, p_amount bigint
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    debit_version bigint;
    debit_asset text;
    debit_blocked boolean;
    credit_version bigint;
    credit_asset text;
    credit_blocked boolean;
    -- That of ledger_fingerprint, written out, as a call costs more than what it computes. Invariant L6 compares.
    print bytea := sha256(convert_to(
        '[' || to_json(p_kind) || ', ' || to_json(p_source) || ', ["' || p_debit || '", "' || p_credit
            || '"], ["debit", "credit"], [' || p_amount || ', ' || p_amount || ']]',
        'UTF8'));
BEGIN
    -- Every writer locks accounts in the order of their ids, before anything else. What is read is what the row holds
    -- once it is locked. One row at a time: where many wait for one account, a query that was made to wait is run again.
    IF p_debit < p_credit THEN
        SELECT a.version, a.asset, a.frozen AND a.normal_side <> 'debit' INTO debit_version, debit_asset, debit_blocked
        FROM ledger_account a WHERE a.id = p_debit FOR NO KEY UPDATE;
        SELECT a.version, a.asset, a.frozen AND a.normal_side <> 'credit' INTO credit_version, credit_asset, credit_blocked
        FROM ledger_account a WHERE a.id = p_credit FOR NO KEY UPDATE;
    ELSE
        SELECT a.version, a.asset, a.frozen AND a.normal_side <> 'credit' INTO credit_version, credit_asset, credit_blocked
        FROM ledger_account a WHERE a.id = p_credit FOR NO KEY UPDATE;
        SELECT a.version, a.asset, a.frozen AND a.normal_side <> 'debit' INTO debit_version, debit_asset, debit_blocked
        FROM ledger_account a WHERE a.id = p_debit FOR NO KEY UPDATE;
    END IF;
    IF debit_version IS NULL OR credit_version IS NULL THEN
        RAISE EXCEPTION 'an account does not exist' USING ERRCODE = 'TW001';
    END IF;
    IF p_debit = p_credit OR debit_asset <> credit_asset THEN
        RAISE EXCEPTION 'a transaction moves nothing or does not balance' USING ERRCODE = 'TW003';
    END IF;

    INSERT INTO ledger_tx (id, kind, source_ref, fingerprint, effective_at)
    VALUES (p_id, p_kind, p_source, print, to_timestamp(p_effective_ms / 1000.0))
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        -- A statement of its own, so that it sees what a concurrent call has committed meanwhile.
        IF (SELECT t.fingerprint FROM ledger_tx t WHERE t.id = p_id) <> print THEN
            RAISE EXCEPTION 'an id was posted before with other content' USING ERRCODE = 'TW002';
        END IF;
        RETURN false;
    END IF;
    IF debit_blocked OR credit_blocked THEN
        RAISE EXCEPTION 'an account is frozen' USING ERRCODE = 'TW004';
    END IF;

    INSERT INTO ledger_entry (account_id, account_version, tx_id, ordinal, side, amount)
    VALUES (p_debit, debit_version + 1, p_id, 1, 'debit', p_amount),
           (p_credit, credit_version + 1, p_id, 2, 'credit', p_amount);
    UPDATE ledger_account SET posted_debits = posted_debits + p_amount, version = version + 1 WHERE id = p_debit;
    UPDATE ledger_account SET posted_credits = posted_credits + p_amount, version = version + 1 WHERE id = p_credit;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION ledger_transfer(uuid, text, text, bigint, uuid, uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_transfer(uuid, text, text, bigint, uuid, uuid, bigint) TO twist_app;

-- ledger_post as before, with less asked: any number of transactions with any number of legs. The fingerprint is written out
-- here too.
CREATE OR REPLACE FUNCTION ledger_post(
    p_id uuid[], p_kind text[], p_source text[], p_effective timestamptz[],
    e_tx uuid[], e_account uuid[], e_side ledger_side[], e_amount bigint[]
) RETURNS SETOF uuid LANGUAGE plpgsql SECURITY DEFINER
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
            '[' || to_json(t.kind) || ', ' || to_json(t.source_ref) || ', ["' || e.accounts || '"], ["'
                || e.sides || '"], [' || e.amounts || ']]',
            'UTF8'))
        ORDER BY t.place)
    INTO prints
    FROM unnest(p_id, p_kind, p_source) WITH ORDINALITY AS t (id, kind, source_ref, place)
    JOIN (
        SELECT tx_id, string_agg(account_id::text, '", "' ORDER BY place) AS accounts,
               string_agg(side::text, '", "' ORDER BY place) AS sides,
               string_agg(amount::text, ', ' ORDER BY place) AS amounts
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
