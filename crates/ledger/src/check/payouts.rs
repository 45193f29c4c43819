//! Payouts and held earnings against the ledger.

use super::Invariant;

/// What is set aside is what open payouts are about; what became of the others is what their states say.
pub(super) const L10: Invariant = Invariant {
    id: "L10",
    title: "what is set aside is the sum of open payouts, each has the outcome of its state, and what is pending is held",
    sql: "SELECT format('influencer %s: open payouts %s, set aside %s, reserved %s', \
              coalesce(p.influencer_id, a.subject), coalesce(p.amount, 0), coalesce(a.pending, 0), \
              coalesce(a.balance, 0)) \
          FROM ( \
              SELECT influencer_id, user_id, sum(amount) AS amount FROM payouts \
              WHERE state NOT IN ('finalized', 'cancelled', 'rejected', 'failed') \
              GROUP BY influencer_id, user_id \
          ) p FULL JOIN ( \
              SELECT subject, owner, pending_credits AS pending, posted_credits - posted_debits AS balance \
              FROM ledger_account WHERE kind = 'influencer:reserved' \
          ) a ON a.subject = p.influencer_id AND a.owner = p.user_id \
          WHERE coalesce(p.amount, 0) <> coalesce(a.pending, 0) OR coalesce(a.balance, 0) <> 0 \
          UNION ALL \
          SELECT format('payout %s of %s: set aside %s as %s, outcome %s', p.id, p.amount, \
              coalesce(h.amount, 0), coalesce(r.phase, 'nothing'), coalesce(o.kind, 'none')) \
          FROM payouts p \
              LEFT JOIN ledger_tx r ON r.kind = 'payout_requested' AND r.source_ref = p.id::text \
              LEFT JOIN ledger_tx o ON o.pending_id = r.id \
              LEFT JOIN LATERAL ( \
                  SELECT sum(e.amount) AS amount FROM ledger_pending_entry e \
                  JOIN ledger_account a ON a.id = e.account_id \
                  WHERE e.tx_id = r.id AND e.side = 'credit' AND a.kind = 'influencer:reserved' \
                      AND a.subject = p.influencer_id AND a.owner = p.user_id \
              ) h ON true \
          WHERE r.phase IS DISTINCT FROM 'pending' OR h.amount IS DISTINCT FROM p.amount \
              OR concat_ws(' ', o.kind, o.phase, o.source_ref) <> CASE p.state \
                  WHEN 'finalized' THEN format('payout_approved post_pending %s', p.id) \
                  WHEN 'cancelled' THEN format('payout_cancelled void_pending %s', p.id) \
                  WHEN 'rejected' THEN format('payout_rejected void_pending %s', p.id) \
                  WHEN 'failed' THEN format('payout_failed void_pending %s', p.id) \
                  ELSE '' END \
          UNION ALL \
          SELECT format('payout %s: net %s and fees %s, paid %s and %s', p.id, p.net, \
              p.platform_fee + p.processing_fee, coalesce(e.net, 0), coalesce(e.fees, 0)) \
          FROM payouts p LEFT JOIN LATERAL ( \
              SELECT sum(e.amount) FILTER (WHERE e.side = 'credit' AND a.kind = 'user:available' \
                      AND a.owner = p.user_id) AS net, \
                  sum(e.amount) FILTER (WHERE e.side = 'credit' AND a.kind = 'platform:fees') AS fees, \
                  sum(e.amount) FILTER (WHERE e.side = 'debit' AND a.kind = 'influencer:reserved' \
                      AND a.subject = p.influencer_id) AS taken \
              FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id \
                  JOIN ledger_tx t ON t.id = e.tx_id \
              WHERE e.tx_id = p.transaction_id AND t.kind = 'payout_paid' AND t.source_ref = p.id::text \
          ) e ON true \
          WHERE p.state = 'finalized' AND p.method = 'ledger' AND (e.net, coalesce(e.fees, 0), e.taken) \
              IS DISTINCT FROM (p.net::numeric, p.platform_fee::numeric + p.processing_fee, p.amount::numeric) \
          UNION ALL \
          SELECT format('influencer %s: held earnings %s, pending %s', coalesce(h.influencer_id, a.subject), \
              coalesce(h.amount, 0), coalesce(a.balance, 0)) \
          FROM ( \
              SELECT influencer_id, user_id, sum(amount) AS amount FROM held_earnings \
              WHERE released_at IS NULL GROUP BY influencer_id, user_id \
          ) h FULL JOIN ( \
              SELECT subject, owner, posted_credits - posted_debits AS balance \
              FROM ledger_account WHERE kind = 'influencer:pending' \
          ) a ON a.subject = h.influencer_id AND a.owner = h.user_id \
          WHERE coalesce(h.amount, 0) <> coalesce(a.balance, 0) \
          UNION ALL \
          SELECT format('payout %s is %s with version %s, its history has %s changes and ends with %s', p.id, \
              p.state, p.version, coalesce(e.changes, 0), coalesce(e.last, 'nothing')) \
          FROM payouts p LEFT JOIN ( \
              SELECT payout_id, count(*) AS changes, max(version) AS version, \
                  (array_agg(to_state ORDER BY version DESC))[1] AS last \
              FROM payout_events GROUP BY payout_id \
          ) e ON e.payout_id = p.id \
          WHERE (p.state, p.version, p.version) IS DISTINCT FROM (e.last, e.version, e.changes)",
};

/// Nothing here pays on chain.
pub(super) const L9: Invariant = Invariant {
    id: "L9",
    title: "while nothing is paid on chain, nothing lies in the vault or is on its way",
    sql: "SELECT format('account %s (%s): %s booked, %s pending', id, kind, posted_debits + posted_credits, \
              pending_debits + pending_credits) \
          FROM ledger_account \
          WHERE kind IN ('chain:vault', 'chain:in_transit') \
              AND posted_debits + posted_credits + pending_debits + pending_credits <> 0 \
          UNION ALL \
          SELECT format('attempt %s at payout %s', id, payout_id) FROM payout_attempts",
};
