-- The rest of the chart of accounts, two-phase transactions, reversals, freezes and the sealer.

-- Opens accounts that are not there yet; those that are stay as they are.
CREATE FUNCTION ledger_open(
    p_id uuid[], p_kind text[], p_owner uuid[], p_subject uuid[], p_stripe smallint[],
    p_normal ledger_side[], p_floor bigint[]
) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    INSERT INTO ledger_account (id, kind, owner, subject, stripe, normal_side, floor)
    SELECT * FROM unnest(p_id, p_kind, p_owner, p_subject, p_stripe, p_normal, p_floor) AS a (id)
    ORDER BY a.id
    ON CONFLICT DO NOTHING;
$$;

REVOKE ALL ON FUNCTION
    ledger_open(uuid[], text[], uuid[], uuid[], smallint[], ledger_side[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    ledger_open(uuid[], text[], uuid[], uuid[], smallint[], ledger_side[], bigint[]) TO twist_app;
