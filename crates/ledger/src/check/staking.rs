//! Pools and positions against the ledger.

use super::Invariant;

/// What users have staked is what the ledger holds for them.
pub(super) const L11: Invariant = Invariant {
    id: "L11",
    title: "stakes per pool are what the ledger holds as staked there",
    sql: "SELECT format('pool %s: user %s has %s, the ledger %s', coalesce(s.pool_id, a.subject), \
              coalesce(s.user_id, a.owner), coalesce(s.amount, 0), coalesce(a.balance, 0)) \
          FROM stakes s FULL JOIN ( \
              SELECT owner, subject, posted_credits - posted_debits AS balance \
              FROM ledger_account WHERE kind = 'user:staked' \
                  AND subject IN (SELECT id FROM staking_pools) \
          ) a ON a.subject = s.pool_id AND a.owner = s.user_id \
          WHERE coalesce(s.amount, 0) <> coalesce(a.balance, 0) \
          UNION ALL \
          SELECT format('pool %s: %s staked by %s, its positions are %s of %s', p.id, p.total_staked, \
              p.staker_count, coalesce(s.amount, 0), coalesce(s.stakers, 0)) \
          FROM staking_pools p LEFT JOIN ( \
              SELECT pool_id, sum(amount) AS amount, count(*) FILTER (WHERE amount > 0) AS stakers \
              FROM stakes GROUP BY pool_id \
          ) s ON s.pool_id = p.id \
          WHERE p.total_staked <> coalesce(s.amount, 0) OR p.staker_count <> coalesce(s.stakers, 0) \
          UNION ALL \
          SELECT format('pool %s: user %s has %s, the history gives %s', s.pool_id, s.user_id, \
              s.amount, coalesce(e.net, 0)) \
          FROM stakes s LEFT JOIN ( \
              SELECT pool_id, user_id, \
                  sum(CASE action WHEN 'stake' THEN amount WHEN 'unstake' THEN -amount ELSE 0 END) AS net \
              FROM stake_events GROUP BY pool_id, user_id \
          ) e USING (pool_id, user_id) WHERE s.amount <> coalesce(e.net, 0)",
};

/// What was distributed is claimed, pending or left over, to the last bit, and lies in the ledger.
pub(super) const S1: Invariant = Invariant {
    id: "S1",
    title: "claimed, pending and left over are what was distributed, and the ledger holds what is not claimed",
    sql: "WITH positions AS ( \
              SELECT s.pool_id, sum(s.total_claimed) AS claimed, \
                  sum(s.carried + s.amount * (p.accumulator - s.debt)) AS earned \
              FROM stakes s JOIN staking_pools p ON p.id = s.pool_id GROUP BY s.pool_id \
          ), given AS ( \
              SELECT pool_id, sum(amount) AS amount, sum(staker_share) AS share \
              FROM distributions GROUP BY pool_id \
          ), held AS ( \
              SELECT subject, posted_credits - posted_debits AS balance \
              FROM ledger_account WHERE kind = 'pool:rewards' \
          ) \
          SELECT format('pool %s: distributed %s, distributions %s, claimed %s, claims %s, held %s', \
              p.id, p.distributed, coalesce(g.share, 0), p.claimed, coalesce(c.claimed, 0), \
              coalesce(h.balance, 0)) \
          FROM staking_pools p LEFT JOIN positions c ON c.pool_id = p.id \
              LEFT JOIN given g ON g.pool_id = p.id LEFT JOIN held h ON h.subject = p.id \
          WHERE p.distributed <> coalesce(g.share, 0) OR p.earned <> coalesce(g.amount, 0) \
             OR p.claimed <> coalesce(c.claimed, 0) \
             OR p.distributed - p.claimed <> coalesce(h.balance, 0) \
             OR (p.distributed - p.claimed) * 18446744073709551616 + p.ahead \
                 <> coalesce(c.earned, 0) \
          UNION ALL \
          SELECT format('pool %s: %s of rewards held for no pool', subject, balance) \
          FROM held WHERE balance <> 0 AND NOT EXISTS (SELECT FROM staking_pools p WHERE p.id = subject)",
};
