//! The invariants of the ledger, as questions to the database whose answer must be "none".

mod staking;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// One invariant.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// `L1` … as in the documentation.
    pub id: &'static str,
    /// What holds.
    pub title: &'static str,
    /// Selects one text column: what breaks it.
    sql: &'static str,
}

/// What a check found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The invariant.
    pub invariant: Invariant,
    /// What breaks it, at most [`MAX_SHOWN`]; empty when it holds.
    pub broken_by: Vec<String>,
}

impl Finding {
    /// Whether the invariant holds.
    pub const fn holds(&self) -> bool {
        self.broken_by.is_empty()
    }
}

/// How many violations are listed for each invariant.
pub const MAX_SHOWN: u8 = 20;

/// The invariants that are checked, in order.
pub const INVARIANTS: &[Invariant] = &[
    Invariant {
        id: "L1",
        title: "every transaction has entries and balances per asset",
        sql: "SELECT format('transaction %s: debits less credits are %s %s', t.id, \
                  coalesce(sum(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END), 0), a.asset) \
              FROM ledger_tx t LEFT JOIN ledger_entry e ON e.tx_id = t.id \
              LEFT JOIN ledger_account a ON a.id = e.account_id \
              GROUP BY t.id, a.asset \
              HAVING count(e.tx_id) = 0 \
                  OR sum(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END) <> 0",
    },
    Invariant {
        id: "L2",
        title: "the balances of all accounts sum to zero per asset",
        sql: "SELECT format('%s: debits less credits are %s', asset, sum(posted_debits - posted_credits)) \
              FROM ledger_account GROUP BY asset HAVING sum(posted_debits - posted_credits) <> 0",
    },
    Invariant {
        id: "L3",
        title: "an account's totals are the sums of its entries",
        sql: "SELECT format('account %s: totals %s/%s, entries %s/%s', a.id, \
                  a.posted_debits, a.posted_credits, coalesce(e.debits, 0), coalesce(e.credits, 0)) \
              FROM ledger_account a LEFT JOIN ( \
                  SELECT account_id, coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debits, \
                      coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credits \
                  FROM ledger_entry GROUP BY account_id \
              ) e ON e.account_id = a.id \
              WHERE a.posted_debits <> coalesce(e.debits, 0) \
                 OR a.posted_credits <> coalesce(e.credits, 0)",
    },
    Invariant {
        id: "L4",
        title: "no account is below its floor, pending included",
        sql: "SELECT format('account %s', id) FROM ledger_account \
              WHERE floor > CASE normal_side \
                  WHEN 'credit' THEN posted_credits - posted_debits - pending_debits \
                  ELSE posted_debits - posted_credits - pending_credits END",
    },
    Invariant {
        id: "L5",
        title: "an id, and a cause, makes at most one transaction",
        sql: "SELECT format('%s %s: %s transactions', kind, source_ref, count(*)) \
              FROM ledger_tx GROUP BY kind, source_ref HAVING count(*) > 1 \
              UNION ALL \
              SELECT format('id %s: %s transactions', id, count(*)) \
              FROM ledger_tx GROUP BY id HAVING count(*) > 1",
    },
    Invariant {
        id: "L6",
        title: "entries never change, and no service may change them",
        sql: "SELECT format('transaction %s is not what was posted', t.id) \
              FROM ledger_tx t JOIN ( \
                  SELECT tx_id, array_agg(account_id ORDER BY ordinal) AS accounts, \
                      array_agg(side ORDER BY ordinal) AS sides, \
                      array_agg(amount ORDER BY ordinal) AS amounts \
                  FROM ledger_entry GROUP BY tx_id \
              ) e ON e.tx_id = t.id \
              WHERE t.fingerprint \
                  <> ledger_fingerprint(t.kind, t.source_ref, e.accounts, e.sides, e.amounts) \
              UNION ALL \
              SELECT format('twist_app may %s %s', privilege, name) \
              FROM unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege, \
                  unnest(array['ledger_account', 'ledger_tx', 'ledger_entry', 'ledger_seal']) AS name \
              WHERE has_table_privilege('twist_app', name, privilege) \
              UNION ALL \
              SELECT format('%s() looks for tables in the caller''s temporary schema first', proname) \
              FROM pg_proc \
              WHERE pronamespace = 'public'::regnamespace AND prosecdef \
                  AND NOT coalesce(proconfig::text LIKE '%pg_temp\"}', false)",
    },
    Invariant {
        id: "L7",
        title: "the versions of an account's entries have no gap",
        sql: "SELECT format('account %s: version %s, entries %s from %s to %s', a.id, a.version, \
                  e.entries, e.first, e.last) \
              FROM ledger_account a LEFT JOIN ( \
                  SELECT account_id, count(*) AS entries, min(account_version) AS first, \
                      max(account_version) AS last \
                  FROM ledger_entry GROUP BY account_id \
              ) e ON e.account_id = a.id \
              WHERE a.version <> coalesce(e.entries, 0) \
                 OR (e.entries > 0 AND (e.first <> 1 OR e.last <> a.version))",
    },
    staking::L11,
    staking::S1,
    Invariant {
        id: "V1",
        title: "every counted VAU is credited exactly what it earned, and nothing else is a reward",
        sql: "SELECT format('VAU %s earned %s, credited %s', v.vau_id, v.earned, c.amount) \
              FROM vaus v LEFT JOIN ( \
                  SELECT t.id, t.source_ref, e.amount, a.owner \
                  FROM ledger_tx t JOIN ledger_entry e ON e.tx_id = t.id \
                  JOIN ledger_account a ON a.id = e.account_id \
                  WHERE t.kind = 'vau_reward' AND a.kind = 'user:available' AND e.side = 'credit' \
              ) c ON c.id = v.transaction_id \
              WHERE v.earned > 0 AND (c.amount IS DISTINCT FROM v.earned \
                  OR c.owner IS DISTINCT FROM v.user_id OR c.source_ref IS DISTINCT FROM v.vau_id) \
              UNION ALL \
              SELECT format('transaction %s rewards %s, which was not counted', t.id, t.source_ref) \
              FROM ledger_tx t LEFT JOIN vaus v ON v.transaction_id = t.id \
              WHERE t.kind = 'vau_reward' AND v.vau_id IS NULL",
    },
];

/// Asks every question, on one snapshot if `connection` is a repeatable-read transaction.
///
/// # Errors
/// When the database cannot answer.
pub async fn run(connection: &impl ConnectionTrait) -> Result<Vec<Finding>, DbErr> {
    let mut findings = Vec::with_capacity(INVARIANTS.len());
    for invariant in INVARIANTS {
        let sql = format!(
            "SELECT v FROM ({}) AS q (v) LIMIT {MAX_SHOWN}",
            invariant.sql
        );
        let rows = connection
            .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await?;
        let broken_by = rows
            .iter()
            .map(|row| row.try_get("", "v"))
            .collect::<Result<Vec<String>, _>>()?;
        findings.push(Finding {
            invariant: *invariant,
            broken_by,
        });
    }
    Ok(findings)
}
