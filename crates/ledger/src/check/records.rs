//! Transactions against the records of what caused them, and the reverse.

use super::Invariant;

/// What was given is what was earned, to the unit, in the record and in the ledger.
pub(super) const L12: Invariant = Invariant {
    id: "L12",
    title: "the parts of each distribution are its amount, and what the ledger gave to whom",
    sql: "SELECT format('distribution %s: %s is %s and %s, the ledger took %s and gave %s and %s', d.id, \
              d.amount, d.staker_share, d.influencer_share, coalesce(e.taken, 0), coalesce(e.stakers, 0), \
              coalesce(e.influencer, 0)) \
          FROM distributions d JOIN staking_pools p ON p.id = d.pool_id LEFT JOIN LATERAL ( \
              SELECT sum(e.amount) FILTER (WHERE e.side = 'debit') AS taken, \
                  sum(e.amount) FILTER (WHERE e.side = 'credit' AND a.kind = 'pool:rewards' \
                      AND a.subject = d.pool_id) AS stakers, \
                  sum(e.amount) FILTER (WHERE e.side = 'credit' \
                      AND a.kind IN ('influencer:payable', 'influencer:pending') \
                      AND a.subject = p.influencer_id) AS influencer \
              FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id WHERE e.tx_id = d.transaction_id \
          ) e ON true \
          WHERE d.staker_share::numeric + d.influencer_share <> d.amount \
              OR (d.amount, d.staker_share, d.influencer_share) \
                  <> (coalesce(e.taken, 0), coalesce(e.stakers, 0), coalesce(e.influencer, 0))",
};

/// No money moves without a record of why, and no record is of money that did not move.
pub(super) const L14: Invariant = Invariant {
    id: "L14",
    title: "an account is frozen as the last order about it says, each transaction has its record, and each record its transaction",
    sql: "SELECT format('account %s: frozen %s, ordered %s', a.id, a.frozen, \
              coalesce(f.frozen::text, 'nothing')) \
          FROM ledger_account a LEFT JOIN LATERAL ( \
              SELECT frozen FROM ledger_freeze WHERE account_id = a.id ORDER BY seq DESC LIMIT 1 \
          ) f ON true \
          WHERE a.frozen <> coalesce(f.frozen, false) \
          UNION ALL \
          SELECT format('transaction %s, %s of %s, has no record', t.id, t.kind, t.source_ref) \
          FROM ledger_tx t \
          WHERE t.kind NOT IN ('vau_reward', 'reversal', 'pending_expired') \
              AND NOT EXISTS (SELECT FROM stake_events s WHERE s.transaction_id = t.id \
                  AND t.kind = CASE s.action WHEN 'stake' THEN 'stake_deposited' \
                      WHEN 'unstake' THEN 'stake_withdrawn' ELSE 'rewards_claimed' END) \
              AND NOT EXISTS (SELECT FROM distributions d WHERE d.transaction_id = t.id \
                  AND (d.source_ref, t.kind) = (t.source_ref, CASE d.source \
                      WHEN 'deposit' THEN 'operator_deposit' ELSE 'rewards_funded' END)) \
              AND NOT EXISTS (SELECT FROM held_earnings h WHERE h.release_transaction_id = t.id \
                  AND (h.id::text, t.kind) = (t.source_ref, 'commission_released')) \
              AND NOT EXISTS (SELECT FROM payouts p WHERE p.id::text = t.source_ref AND t.kind IN ( \
                  'payout_requested', CASE p.state WHEN 'finalized' THEN 'payout_approved' \
                      WHEN 'cancelled' THEN 'payout_cancelled' WHEN 'rejected' THEN 'payout_rejected' \
                      WHEN 'failed' THEN 'payout_failed' END, \
                  CASE WHEN p.transaction_id = t.id THEN 'payout_paid' END)) \
              AND NOT (t.kind = 'operator_deposit' AND NOT EXISTS ( \
                  SELECT FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id \
                  WHERE e.tx_id = t.id AND a.kind NOT IN ('external:world', 'user:available'))) \
          UNION ALL \
          SELECT format('%s %s of %s was booked as %s %s', s.action, s.id, s.amount, t.kind, \
              coalesce(e.amount, 0)) \
          FROM stake_events s JOIN ledger_tx t ON t.id = s.transaction_id LEFT JOIN LATERAL ( \
              SELECT e.amount FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id \
              WHERE e.tx_id = t.id AND a.owner = s.user_id AND a.kind = 'user:available' \
          ) e ON true \
          WHERE s.amount IS DISTINCT FROM e.amount OR t.kind <> CASE s.action WHEN 'stake' THEN \
              'stake_deposited' WHEN 'unstake' THEN 'stake_withdrawn' ELSE 'rewards_claimed' END \
          UNION ALL \
          SELECT format('held earning %s of %s is not what %s gave and %s released', h.id, h.amount, \
              h.transaction_id, coalesce(h.release_transaction_id::text, 'nothing')) \
          FROM held_earnings h LEFT JOIN LATERAL ( \
              SELECT sum(e.amount) FILTER (WHERE e.tx_id = h.transaction_id AND e.side = 'credit') AS given, \
                  sum(e.amount) FILTER (WHERE e.tx_id = h.release_transaction_id AND e.side = 'debit') AS released \
              FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id \
              WHERE e.tx_id IN (h.transaction_id, h.release_transaction_id) \
                  AND a.kind = 'influencer:pending' AND a.subject = h.influencer_id \
          ) e ON true \
          WHERE e.given IS DISTINCT FROM h.amount::numeric \
              OR (h.release_transaction_id IS NOT NULL AND e.released IS DISTINCT FROM h.amount::numeric)",
};
