//! The invariants of the ledger, as questions to the database whose answer must be "none".

mod payouts;
mod records;
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
        title: "every transaction has the entries of its phase and balances per asset",
        sql: "SELECT format('%s transaction %s: debits less credits are %s %s, of %s entries', t.phase, t.id, \
                  coalesce(sum(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END), 0), a.asset, \
                  count(e.tx_id)) \
              FROM ledger_tx t LEFT JOIN ( \
                  SELECT tx_id, account_id, side, amount, false AS pending FROM ledger_entry \
                  UNION ALL \
                  SELECT tx_id, account_id, side, amount, true FROM ledger_pending_entry \
              ) e ON e.tx_id = t.id \
              LEFT JOIN ledger_account a ON a.id = e.account_id \
              GROUP BY t.id, a.asset \
              HAVING (count(e.tx_id) = 0) <> (t.phase = 'void_pending') \
                  OR bool_or(e.pending <> (t.phase = 'pending')) \
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
        title: "an account's totals are the sums of its entries, posted and pending",
        sql: "SELECT format('account %s: totals %s/%s, pending %s/%s, entries %s/%s, pending %s/%s', a.id, \
                  a.posted_debits, a.posted_credits, a.pending_debits, a.pending_credits, \
                  coalesce(e.debits, 0), coalesce(e.credits, 0), \
                  coalesce(p.debits, 0), coalesce(p.credits, 0)) \
              FROM ledger_account a LEFT JOIN ( \
                  SELECT account_id, coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debits, \
                      coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credits \
                  FROM ledger_entry GROUP BY account_id \
              ) e ON e.account_id = a.id LEFT JOIN ( \
                  SELECT account_id, coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debits, \
                      coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credits \
                  FROM ledger_pending_entry h \
                  WHERE NOT EXISTS (SELECT FROM ledger_tx o WHERE o.pending_id = h.tx_id) \
                  GROUP BY account_id \
              ) p ON p.account_id = a.id \
              WHERE (a.posted_debits, a.posted_credits, a.pending_debits, a.pending_credits) \
                  <> (coalesce(e.debits, 0), coalesce(e.credits, 0), \
                      coalesce(p.debits, 0), coalesce(p.credits, 0)) \
              UNION ALL \
              SELECT format('pending transaction %s is not in the list of those to settle, or wrongly', \
                  coalesce(t.id, q.tx_id)) \
              FROM ( \
                  SELECT id, expires_at FROM ledger_tx p WHERE phase = 'pending' \
                      AND NOT EXISTS (SELECT FROM ledger_tx o WHERE o.pending_id = p.id) \
              ) t FULL JOIN ledger_pending q ON q.tx_id = t.id \
              WHERE t.id IS NULL OR q.tx_id IS NULL OR t.expires_at IS DISTINCT FROM q.expires_at",
    },
    Invariant {
        id: "L4",
        title: "no account is below its floor, pending included, and nobody's has none",
        sql: "SELECT format('account %s', id) FROM ledger_account \
              WHERE floor > CASE normal_side \
                  WHEN 'credit' THEN posted_credits - posted_debits - pending_debits \
                  ELSE posted_debits - posted_credits - pending_credits END \
              UNION ALL \
              SELECT format('account %s: floor %s', id, coalesce(floor::text, 'none')) \
              FROM ledger_account \
              WHERE kind ~ '^(user|pool|influencer):' AND coalesce(floor, -1) < 0",
    },
    Invariant {
        id: "L5",
        title: "an id, a cause and an outcome makes at most one transaction",
        sql: "SELECT format('%s %s: %s transactions', kind, source_ref, count(*)) \
              FROM ledger_tx GROUP BY kind, source_ref HAVING count(*) > 1 \
              UNION ALL \
              SELECT format('id %s: %s transactions', id, count(*)) \
              FROM ledger_tx GROUP BY id HAVING count(*) > 1 \
              UNION ALL \
              SELECT format('pending transaction %s has %s outcomes', pending_id, count(*)) \
              FROM ledger_tx WHERE pending_id IS NOT NULL GROUP BY pending_id HAVING count(*) > 1",
    },
    Invariant {
        id: "L6",
        title: "entries never change, and no service may change them",
        sql: "SELECT format('transaction %s is not what was posted', t.id) \
              FROM ledger_tx t LEFT JOIN ( \
                  SELECT tx_id, array_agg(account_id ORDER BY ordinal) AS accounts, \
                      array_agg(side ORDER BY ordinal) AS sides, \
                      array_agg(amount ORDER BY ordinal) AS amounts \
                  FROM ( \
                      SELECT tx_id, ordinal, account_id, side, amount FROM ledger_entry \
                      UNION ALL \
                      SELECT tx_id, ordinal, account_id, side, amount FROM ledger_pending_entry \
                  ) l GROUP BY tx_id \
              ) e ON e.tx_id = t.id \
              WHERE t.fingerprint <> ledger_print(t.kind, t.source_ref, t.phase, t.pending_id, t.reverses, \
                  coalesce(e.accounts, '{}'), coalesce(e.sides, '{}'), coalesce(e.amounts, '{}')) \
              UNION ALL \
              SELECT format('what was posted of %s is not what was pending', o.pending_id) \
              FROM ledger_tx o \
              WHERE o.phase = 'post_pending' AND EXISTS ( \
                  SELECT FROM (SELECT * FROM ledger_entry WHERE tx_id = o.id) e \
                  FULL JOIN (SELECT * FROM ledger_pending_entry WHERE tx_id = o.pending_id) h \
                      USING (ordinal, account_id, side, amount) \
                  WHERE e.tx_id IS NULL OR h.tx_id IS NULL) \
              UNION ALL \
              SELECT format('twist_app may %s %s', privilege, name) \
              FROM unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege, \
                  (SELECT oid, relname AS name FROM pg_class \
                   WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' \
                       AND starts_with(relname, 'ledger_')) t \
              WHERE has_table_privilege('twist_app', t.oid, privilege) \
              UNION ALL \
              SELECT format('%s() looks for tables in the caller''s temporary schema first', proname) \
              FROM pg_proc \
              WHERE pronamespace = 'public'::regnamespace AND prosecdef \
                  AND NOT EXISTS ( \
                      SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'search_path=%, pg_temp')",
    },
    Invariant {
        id: "L7",
        title: "the versions of an account's entries have no gap and follow the transactions' order",
        sql: "SELECT format('account %s: version %s, entries %s from %s to %s', a.id, a.version, \
                  e.entries, e.first, e.last) \
              FROM ledger_account a LEFT JOIN ( \
                  SELECT account_id, count(*) AS entries, min(account_version) AS first, \
                      max(account_version) AS last \
                  FROM ledger_entry GROUP BY account_id \
              ) e ON e.account_id = a.id \
              WHERE a.version <> coalesce(e.entries, 0) \
                 OR (e.entries > 0 AND (e.first <> 1 OR e.last <> a.version)) \
              UNION ALL \
              SELECT format('account %s: version %s is of an older transaction than the one before', \
                  account_id, account_version) \
              FROM (SELECT e.account_id, e.account_version, t.seq, lag(t.seq) OVER ( \
                      PARTITION BY e.account_id ORDER BY e.account_version) AS before \
                  FROM ledger_entry e JOIN ledger_tx t ON t.id = e.tx_id) o \
              WHERE seq < before",
    },
    Invariant {
        id: "L8",
        title: "every seal links to the one before and is over what the rows say",
        sql: "SELECT format('seal %s of transaction %s', seq, tx_id) \
              FROM (SELECT s.*, lag(hash) OVER (ORDER BY seq) AS before, \
                      row_number() OVER (ORDER BY seq) AS place FROM ledger_seal s) s \
              WHERE seq <> place OR prev_hash <> coalesce(before, sha256('twist-ledger-v1')) \
                  OR hash IS DISTINCT FROM sha256(prev_hash || ledger_bytes(tx_id)) \
              UNION ALL \
              SELECT format('transaction %s was passed over', t.id) FROM ledger_tx t \
              WHERE t.seq <= (SELECT sealed_through FROM ledger_seal_mark) \
                  AND NOT EXISTS (SELECT FROM ledger_seal s WHERE s.tx_id = t.id)",
    },
    payouts::L9,
    payouts::L10,
    staking::L11,
    records::L12,
    Invariant {
        id: "L13",
        title: "a reversal is the opposite of one transaction, which has no other",
        sql: "SELECT format('transaction %s has %s reversals', reverses, count(*)) \
              FROM ledger_tx WHERE reverses IS NOT NULL GROUP BY reverses HAVING count(*) > 1 \
              UNION ALL \
              SELECT format('transaction %s reverses %s, which is a reversal', r.id, o.id) \
              FROM ledger_tx r JOIN ledger_tx o ON o.id = r.reverses WHERE o.reverses IS NOT NULL \
              UNION ALL \
              SELECT format('transaction %s is not the opposite of %s', r.id, r.reverses) \
              FROM ledger_tx r \
              WHERE r.reverses IS NOT NULL AND EXISTS ( \
                  SELECT FROM (SELECT * FROM ledger_entry WHERE tx_id = r.id) e \
                  FULL JOIN (SELECT * FROM ledger_entry WHERE tx_id = r.reverses) o \
                      ON (o.ordinal, o.account_id, o.amount) = (e.ordinal, e.account_id, e.amount) \
                      AND o.side <> e.side \
                  WHERE e.tx_id IS NULL OR o.tx_id IS NULL)",
    },
    records::L14,
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

impl Invariant {
    /// Asks the question. It is one statement, so it sees one state of the books.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn ask(&self, connection: &impl ConnectionTrait) -> Result<Finding, DbErr> {
        let sql = format!("SELECT v FROM ({}) AS q (v) LIMIT {MAX_SHOWN}", self.sql);
        let rows = connection
            .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
            .await?;
        let broken_by = rows
            .iter()
            .map(|row| row.try_get("", "v"))
            .collect::<Result<Vec<String>, _>>()?;
        Ok(Finding {
            invariant: *self,
            broken_by,
        })
    }
}

/// Asks every question, on one snapshot if `connection` is a repeatable-read transaction.
///
/// # Errors
/// When the database cannot answer.
pub async fn run(connection: &impl ConnectionTrait) -> Result<Vec<Finding>, DbErr> {
    let mut findings = Vec::with_capacity(INVARIANTS.len());
    for invariant in INVARIANTS {
        findings.push(invariant.ask(connection).await?);
    }
    Ok(findings)
}
