use crate::support::{Books, cause, charge, reward, stake};
use domain::EpochMs;
use ledger::phase::{post_pending, reserve, reverse, void_pending};
use ledger::posting::post;
use ledger::{LedgerError, TxId, TxKind};

fn now() -> EpochMs {
    EpochMs::new(1_767_225_600_000).unwrap()
}

#[tokio::test]
async fn a_transaction_is_reversed_once_and_a_reversal_never() {
    let books = Books::new().await;
    let user = books.user().await;
    let db = &books.db;
    let wrong = reward(1, user, 5);
    post(db, &[wrong.clone(), reward(2, user, 1)])
        .await
        .unwrap();
    assert!(reverse(db, wrong.id(), "case 1", now()).await.unwrap());
    assert!(!reverse(db, wrong.id(), "case 1", now()).await.unwrap());
    assert_eq!(books.balance(user).await, 1);
    let again = reverse(db, wrong.id(), "case 2", now()).await;
    assert!(
        matches!(again, Err(LedgerError::AlreadySettled)),
        "{again:?}"
    );
    let back = reverse(db, TxId::of(TxKind::Reversal, "case 1"), "case 3", now()).await;
    assert!(matches!(back, Err(LedgerError::NotReversible)), "{back:?}");
    let other = reverse(db, reward(2, user, 1).id(), "case 1", now()).await;
    assert!(matches!(other, Err(LedgerError::Conflict)), "{other:?}");
    assert_eq!(books.balance(user).await, 1);
    books.assert_adds_up().await;
}

#[tokio::test]
async fn money_that_was_spent_is_not_taken_back_below_zero() {
    let books = Books::new().await;
    let user = books.user().await;
    post(&books.db, &[reward(1, user, 5)]).await.unwrap();
    post(&books.db, &[charge("spent", user, 3)]).await.unwrap();
    let result = reverse(&books.db, reward(1, user, 5).id(), "case", now()).await;
    assert!(
        matches!(result, Err(LedgerError::InsufficientFunds)),
        "{result:?}"
    );
    books.freeze(user, true).await;
    let result = reverse(&books.db, reward(1, user, 5).id(), "case", now()).await;
    assert!(matches!(result, Err(LedgerError::Frozen)), "{result:?}");
    assert_eq!(books.balance(user).await, 2);
    books.assert_adds_up().await;
}

#[tokio::test]
async fn of_two_phases_only_what_was_booked_is_reversed() {
    let books = Books::new().await;
    let user = books.user().await;
    let db = &books.db;
    post(db, &[reward(1, user, 5)]).await.unwrap();
    let (kept, dropped) = (stake("a", user, 2), stake("b", user, 3));
    let (paid, cancelled) = (
        cause(TxKind::PayoutPaid, "a"),
        cause(TxKind::PayoutCancelled, "b"),
    );
    reserve(db, &kept, None).await.unwrap();
    reserve(db, &dropped, None).await.unwrap();
    post_pending(db, kept.id(), &paid).await.unwrap();
    void_pending(db, dropped.id(), &cancelled).await.unwrap();
    for id in [kept.id(), dropped.id(), cancelled.id()] {
        let result = reverse(db, id, "case", now()).await;
        assert!(
            matches!(result, Err(LedgerError::UnknownTransaction)),
            "{result:?}"
        );
    }
    assert!(reverse(db, paid.id(), "case", now()).await.unwrap());
    assert_eq!(
        (books.balance(user).await, books.staked(user).await),
        (5, 0)
    );
    books.assert_adds_up().await;
}
