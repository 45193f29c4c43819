use crate::support::{Books, cause, charge, reward, stake};
use ledger::phase::{expire_due, post_pending, reserve, void_pending};
use ledger::posting::post;
use ledger::{LedgerError, TxId, TxKind};
use std::time::Duration;
use uuid::Uuid;

const HOUR: Option<Duration> = Some(Duration::from_hours(1));
const OVER: Option<Duration> = Some(Duration::ZERO);

async fn books_with_ten() -> (Books, Uuid) {
    let books = Books::new().await;
    let user = books.user().await;
    post(&books.db, &[reward(1, user, 10)]).await.unwrap();
    (books, user)
}

#[tokio::test]
async fn what_is_set_aside_can_be_spent_once_only() {
    let (books, user) = books_with_ten().await;
    let seven = stake("a", user, 7);
    assert!(reserve(&books.db, &seven, HOUR).await.unwrap());
    assert_eq!(
        (books.balance(user).await, books.staked(user).await),
        (3, 0)
    );
    for spend in [stake("b", user, 4), charge("c", user, 4)] {
        let posted = post(&books.db, std::slice::from_ref(&spend)).await;
        assert!(
            matches!(posted, Err(LedgerError::InsufficientFunds)),
            "{posted:?}"
        );
        let reserved = reserve(&books.db, &spend, None).await;
        assert!(
            matches!(reserved, Err(LedgerError::InsufficientFunds)),
            "{reserved:?}"
        );
    }
    books.assert_adds_up().await;
    let done = cause(TxKind::PayoutPaid, "a");
    assert!(post_pending(&books.db, seven.id(), &done).await.unwrap());
    assert_eq!(
        (books.balance(user).await, books.staked(user).await),
        (3, 7)
    );
    books.assert_adds_up().await;
}

#[tokio::test]
async fn what_is_voided_is_all_there_again() {
    let (books, user) = books_with_ten().await;
    let all = stake("a", user, 10);
    reserve(&books.db, &all, None).await.unwrap();
    let cancel = cause(TxKind::PayoutCancelled, "a");
    assert!(void_pending(&books.db, all.id(), &cancel).await.unwrap());
    assert_eq!(
        (books.balance(user).await, books.staked(user).await),
        (10, 0)
    );
    post(&books.db, &[stake("b", user, 10)]).await.unwrap();
    books.assert_adds_up().await;
}

#[tokio::test]
async fn the_same_again_is_nothing_and_another_outcome_is_an_error() {
    let (books, user) = books_with_ten().await;
    let (one, two) = (stake("a", user, 4), stake("b", user, 4));
    let (paid, cancelled) = (
        |s| cause(TxKind::PayoutPaid, s),
        |s| cause(TxKind::PayoutCancelled, s),
    );
    for posting in [&one, &two] {
        assert!(reserve(&books.db, posting, HOUR).await.unwrap());
        assert!(!reserve(&books.db, posting, HOUR).await.unwrap());
    }
    assert!(post_pending(&books.db, one.id(), &paid("a")).await.unwrap());
    assert!(
        void_pending(&books.db, two.id(), &cancelled("b"))
            .await
            .unwrap()
    );
    assert!(!post_pending(&books.db, one.id(), &paid("a")).await.unwrap());
    assert!(
        !void_pending(&books.db, two.id(), &cancelled("b"))
            .await
            .unwrap()
    );
    assert!(!reserve(&books.db, &one, HOUR).await.unwrap());
    let db = &books.db;
    for second in [
        void_pending(db, one.id(), &cancelled("a")).await,
        post_pending(db, two.id(), &paid("b")).await,
        post_pending(db, one.id(), &paid("again")).await,
        void_pending(db, two.id(), &cancelled("again")).await,
    ] {
        assert!(
            matches!(second, Err(LedgerError::AlreadySettled)),
            "{second:?}"
        );
    }
    assert_eq!(
        (books.balance(user).await, books.staked(user).await),
        (6, 4)
    );
    books.assert_adds_up().await;
}

#[tokio::test]
async fn a_known_id_with_other_content_or_another_phase_is_refused() {
    let (books, user) = books_with_ten().await;
    let db = &books.db;
    reserve(db, &stake("a", user, 4), HOUR).await.unwrap();
    post(db, &[stake("b", user, 1)]).await.unwrap();
    let three = stake("c", user, 1);
    reserve(db, &three, HOUR).await.unwrap();
    let paid = cause(TxKind::PayoutPaid, "a");
    post_pending(db, stake("a", user, 4).id(), &paid)
        .await
        .unwrap();
    let conflicts = [
        reserve(db, &stake("a", user, 5), HOUR).await,
        reserve(db, &stake("b", user, 1), HOUR).await,
        post(db, &[stake("a", user, 4)])
            .await
            .map(|ids| !ids.is_empty()),
        // The id of another's outcome.
        post_pending(db, three.id(), &paid).await,
        void_pending(db, three.id(), &paid).await,
    ];
    for result in conflicts {
        assert!(matches!(result, Err(LedgerError::Conflict)), "{result:?}");
    }
    assert_eq!(
        (books.balance(user).await, books.staked(user).await),
        (4, 5)
    );
    books.assert_adds_up().await;
}

#[tokio::test]
async fn nothing_that_is_not_pending_can_be_settled() {
    let (books, user) = books_with_ten().await;
    let paid = cause(TxKind::PayoutPaid, "a");
    for id in [reward(1, user, 10).id(), TxId::from(Uuid::new_v4())] {
        let result = post_pending(&books.db, id, &paid).await;
        assert!(
            matches!(result, Err(LedgerError::UnknownTransaction)),
            "{result:?}"
        );
    }
    books.assert_adds_up().await;
}

#[tokio::test]
async fn what_has_expired_cannot_be_posted_and_is_given_back_once() {
    let (books, user) = books_with_ten().await;
    let (late, good) = (stake("a", user, 4), stake("b", user, 3));
    reserve(&books.db, &late, OVER).await.unwrap();
    reserve(&books.db, &good, HOUR).await.unwrap();
    let paid = cause(TxKind::PayoutPaid, "a");
    let result = post_pending(&books.db, late.id(), &paid).await;
    assert!(matches!(result, Err(LedgerError::Expired)), "{result:?}");
    assert_eq!(books.balance(user).await, 3, "given back before the sweep");
    assert_eq!(expire_due(&books.db, 10).await.unwrap(), [late.id()]);
    assert_eq!(expire_due(&books.db, 10).await.unwrap(), []);
    assert_eq!(books.balance(user).await, 7);
    let result = post_pending(&books.db, late.id(), &paid).await;
    assert!(
        matches!(result, Err(LedgerError::AlreadySettled)),
        "{result:?}"
    );
    books.assert_adds_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sweepers_at_once_give_back_once_and_leave_nothing() {
    let (books, user) = books_with_ten().await;
    for n in 0..10 {
        reserve(&books.db, &stake(&format!("s{n}"), user, 1), OVER)
            .await
            .unwrap();
    }
    assert_eq!(books.balance(user).await, 0);
    let sweepers: Vec<_> = (0..4)
        .map(|_| {
            let db = books.db.clone();
            tokio::spawn(async move {
                let mut swept = Vec::new();
                loop {
                    let some = expire_due(&db, 3).await.unwrap();
                    if some.is_empty() {
                        return swept;
                    }
                    swept.extend(some);
                }
            })
        })
        .collect();
    let mut swept = expire_due(&books.db, 10).await.unwrap();
    for sweeper in sweepers {
        swept.extend(sweeper.await.unwrap());
    }
    swept.extend(expire_due(&books.db, 10).await.unwrap());
    let count = swept.len();
    swept.sort_unstable();
    swept.dedup();
    assert_eq!((count, swept.len()), (10, 10));
    assert_eq!(books.balance(user).await, 10);
    books.assert_adds_up().await;
}
