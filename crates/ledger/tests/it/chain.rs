use crate::support::{Books, cause, reward, stake};
use domain::EpochMs;
use ledger::TxKind;
use ledger::chain::{Flaw, Proof, lag, seal, verify, verify_after};
use ledger::phase::{post_pending, reserve, reverse, void_pending};
use ledger::posting::post;
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use std::time::{Duration, Instant};

/// Every phase there is, sealed: eight transactions.
async fn sealed_books() -> Books {
    let books = Books::new().await;
    let user = books.user().await;
    let db = &books.db;
    post(db, &[reward(1, user, 10), reward(2, user, 3)])
        .await
        .unwrap();
    let (kept, dropped) = (stake("a ä", user, 2), stake("b", user, 3));
    reserve(db, &kept, Some(Duration::from_hours(1)))
        .await
        .unwrap();
    reserve(db, &dropped, None).await.unwrap();
    post_pending(db, kept.id(), &cause(TxKind::PayoutPaid, "a"))
        .await
        .unwrap();
    void_pending(db, dropped.id(), &cause(TxKind::PayoutCancelled, "b"))
        .await
        .unwrap();
    let at = EpochMs::new(1_767_225_600_123).unwrap();
    reverse(db, reward(2, user, 3).id(), "case", at)
        .await
        .unwrap();
    post(db, &[stake("c", user, 1)]).await.unwrap();
    assert_eq!(lag(db).await.unwrap().unsealed, 8);
    assert_eq!(seal(db, 5).await.unwrap(), 5);
    assert_eq!(lag(db).await.unwrap().unsealed, 3);
    assert_eq!(seal(db, 5).await.unwrap(), 3);
    assert_eq!(seal(db, 5).await.unwrap(), 0);
    let lag = lag(db).await.unwrap();
    assert_eq!((lag.unsealed, lag.oldest), (0, Duration::ZERO));
    books
}

#[tokio::test]
async fn a_sound_chain_is_called_sound_by_both_implementations() {
    let books = sealed_books().await;
    let verdict = verify(&books.db).await.unwrap();
    assert_eq!((verdict.seals, verdict.broken), (8, None));
    books.assert_adds_up().await;
    let empty = verify(&Books::new().await.db).await.unwrap();
    assert_eq!((empty.seals, empty.broken), (0, None));
}

/// What somebody with the owner's rights changes: what it breaks, and where.
async fn tampered(sql: &str) -> (Option<(u64, Flaw)>, Vec<&'static str>) {
    let books = sealed_books().await;
    books.as_owner(sql).await;
    let verdict = verify(&books.db).await.unwrap();
    (
        verdict.broken.map(|b| (b.seq, b.flaw)),
        books.broken().await,
    )
}

#[tokio::test]
async fn a_row_changed_with_its_totals_and_fingerprint_is_found_by_the_chain_alone() {
    let sql = "UPDATE ledger_entry SET amount = amount + 1 \
                 WHERE tx_id = (SELECT tx_id FROM ledger_seal WHERE seq = 2); \
               UPDATE ledger_account a SET \
                 posted_debits = coalesce((SELECT sum(amount) FROM ledger_entry e WHERE e.account_id = a.id AND side = 'debit'), 0), \
                 posted_credits = coalesce((SELECT sum(amount) FROM ledger_entry e WHERE e.account_id = a.id AND side = 'credit'), 0); \
               UPDATE ledger_tx t SET fingerprint = ledger_print(kind, source_ref, phase, pending_id, reverses, \
                 (SELECT array_agg(account_id ORDER BY ordinal) FROM ledger_entry WHERE tx_id = t.id), \
                 (SELECT array_agg(side ORDER BY ordinal) FROM ledger_entry WHERE tx_id = t.id), \
                 (SELECT array_agg(amount ORDER BY ordinal) FROM ledger_entry WHERE tx_id = t.id)) \
                 WHERE id = (SELECT tx_id FROM ledger_seal WHERE seq = 2)";
    let (broken, checks) = tampered(sql).await;
    assert_eq!(broken, Some((2, Flaw::Content)));
    // L13: the second reward is the one that was reversed.
    assert_eq!(checks, ["L8", "L13", "L14", "V1"]);
}

#[tokio::test]
async fn whatever_is_changed_under_a_seal_is_found_at_its_place() {
    let tx = |seq: u8| format!("(SELECT tx_id FROM ledger_seal WHERE seq = {seq})");
    for (sql, place) in [
        (
            format!(
                "UPDATE ledger_tx SET effective_at = effective_at + interval '1 microsecond' WHERE id = {}",
                tx(1)
            ),
            1,
        ),
        (
            format!(
                "UPDATE ledger_tx SET recorded_at = recorded_at - interval '1 day' WHERE id = {}",
                tx(8)
            ),
            8,
        ),
        (
            format!(
                "UPDATE ledger_tx SET expires_at = now() WHERE id = {}",
                tx(3)
            ),
            3,
        ),
        (
            format!("UPDATE ledger_tx SET source_ref = 'd' WHERE id = {}", tx(4)),
            4,
        ),
        (
            format!(
                "UPDATE ledger_pending_entry SET amount = 1 WHERE tx_id = {}",
                tx(4)
            ),
            4,
        ),
        (
            format!(
                "UPDATE ledger_tx SET phase = 'void_pending' WHERE id = {}",
                tx(5)
            ),
            5,
        ),
        (
            format!(
                "UPDATE ledger_seal SET hash = sha256('') WHERE tx_id = {}",
                tx(8)
            ),
            8,
        ),
    ] {
        let (broken, checks) = tampered(&sql).await;
        assert_eq!(broken, Some((place, Flaw::Content)), "{sql}");
        assert!(checks.contains(&"L8"), "{sql}: {checks:?}");
    }
}

#[tokio::test]
async fn a_seal_that_is_gone_or_an_account_that_is_anothers_is_found() {
    let (broken, checks) = tampered("DELETE FROM ledger_seal WHERE seq = 3").await;
    assert_eq!(broken, Some((3, Flaw::Gap)));
    assert!(checks.contains(&"L8"), "{checks:?}");
    let (broken, checks) =
        tampered("UPDATE ledger_seal SET prev_hash = sha256('') WHERE seq = 3").await;
    assert_eq!(broken, Some((3, Flaw::Link)));
    assert!(checks.contains(&"L8"), "{checks:?}");
    let thief = "INSERT INTO users (id) VALUES ('00000000-0000-4000-8000-000000000001'); \
                 UPDATE ledger_account SET owner = '00000000-0000-4000-8000-000000000001' \
                 WHERE kind = 'user:staked'";
    // The first transaction that touches it reserves a stake.
    assert_eq!(tampered(thief).await.0, Some((3, Flaw::Account)));
}

#[tokio::test]
async fn a_chain_is_proved_from_where_it_was_proved_before_unless_that_has_changed() {
    let books = sealed_books().await;
    let user = books.user().await;
    let before = verify(&books.db).await.unwrap().proof();
    post(&books.db, &[reward(9, user, 1)]).await.unwrap();
    seal(&books.db, 5).await.unwrap();
    let whole = verify(&books.db).await.unwrap();
    assert_eq!(verify_after(&books.db, before).await.unwrap(), whole);
    assert_eq!(verify_after(&books.db, Proof::none()).await.unwrap(), whole);
    assert_eq!(whole.seals, 9);
    let broken = async |proof| {
        let verdict = verify_after(&books.db, proof).await.unwrap();
        assert_eq!(verdict.proof(), proof, "nothing more is proved");
        verdict.broken.map(|broken| (broken.seq, broken.flaw))
    };
    // A chain that holds in itself, and is not the one that was proved.
    let other = Proof {
        head: [7; 32],
        ..before
    };
    assert_eq!(broken(other).await, Some((8, Flaw::Rewritten)));
    books
        .as_owner("DELETE FROM ledger_seal WHERE seq > 7")
        .await;
    assert_eq!(broken(before).await, Some((8, Flaw::Gap)));
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_passed_over() {
    let books = Books::new().await;
    let user = books.user().await;
    let late = books.db.begin().await.unwrap();
    post(&late, &[reward(0, user, 1)]).await.unwrap();
    let other = books.user().await;
    // Later numbers, other accounts.
    post(&books.db, &[reward(1, other, 1)]).await.unwrap();
    for n in 2..12 {
        assert_eq!(seal(&books.db, 100).await.unwrap(), 1);
        post(&books.db, &[reward(n * 8 + 1, other, 1)])
            .await
            .unwrap();
    }
    late.commit().await.unwrap();
    assert_eq!(seal(&books.db, 100).await.unwrap(), 2);
    let verdict = verify(&books.db).await.unwrap();
    assert_eq!((verdict.seals, verdict.broken), (12, None));
    assert_eq!(lag(&books.db).await.unwrap().unsealed, 0);
    books.assert_adds_up().await;
    // Nor does it look at all that ever was, once transactions of other databases of the cluster let it.
    let start = Instant::now();
    while !caught_up(&books).await {
        assert!(start.elapsed().as_secs() < 30, "the mark does not follow");
        assert_eq!(seal(&books.db, 100).await.unwrap(), 0);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    post(&books.db, &[reward(200, user, 1)]).await.unwrap();
    assert_eq!(seal(&books.db, 100).await.unwrap(), 1);
    books.assert_adds_up().await;
}

async fn caught_up(books: &Books) -> bool {
    let sql =
        "SELECT sealed_through = (SELECT max(seq) FROM ledger_tx) AS yes FROM ledger_seal_mark";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = books.db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "yes").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sealers_at_once_with_postings_make_one_chain() {
    let books = Books::new().await;
    let users = [books.user().await, books.user().await];
    let writers = users.iter().zip([0u128, 1]).map(|(user, start)| {
        let (db, user) = (books.db.clone(), *user);
        tokio::spawn(async move {
            for n in 0..40 {
                post(&db, &[reward(n * 2 + start, user, 1)]).await.unwrap();
            }
        })
    });
    let sealers = (0..3).map(|_| {
        let db = books.db.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                seal(&db, 7).await.unwrap();
            }
        })
    });
    let tasks: Vec<_> = writers.chain(sealers).collect();
    for task in tasks {
        task.await.unwrap();
    }
    while seal(&books.db, 100).await.unwrap() > 0 {}
    let verdict = verify(&books.db).await.unwrap();
    assert_eq!((verdict.seals, verdict.broken), (80, None));
    books.assert_adds_up().await;
}

#[tokio::test]
async fn a_service_cannot_write_a_seal_itself() {
    let books = sealed_books().await;
    for sql in [
        "DELETE FROM ledger_seal",
        "UPDATE ledger_seal SET hash = prev_hash",
        "INSERT INTO ledger_seal SELECT 99, tx_id, prev_hash, hash FROM ledger_seal LIMIT 1",
        "UPDATE ledger_seal_mark SET sealed_through = 99",
    ] {
        let error = books.db.execute_unprepared(sql).await.expect_err(sql);
        assert!(
            error.to_string().contains("permission denied"),
            "{sql}: {error}"
        );
    }
}
