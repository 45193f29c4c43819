use crate::support::{Books, charge, reward};
use ledger::LedgerError;
use ledger::posting::post;
use sea_orm::TransactionTrait;
use uuid::Uuid;

#[tokio::test]
async fn posting_twice_is_posting_once() {
    let books = Books::new().await;
    let user = books.user().await;
    let postings = [reward(1, user, 5), reward(2, user, 7)];
    assert_eq!(post(&books.db, &postings).await.unwrap().len(), 2);
    assert_eq!(post(&books.db, &postings).await.unwrap(), []);
    let more = [reward(2, user, 7), reward(3, user, 1)];
    assert_eq!(
        post(&books.db, &more).await.unwrap(),
        [reward(3, user, 1).id()]
    );
    assert_eq!(books.balance(user).await, 13);
    books.assert_adds_up().await;
}

#[tokio::test]
async fn a_known_id_with_another_amount_or_user_is_refused() {
    let books = Books::new().await;
    let (user, other) = (books.user().await, books.user().await);
    post(&books.db, &[reward(1, user, 5)]).await.unwrap();
    for changed in [reward(1, user, 6), reward(1, other, 5)] {
        let result = post(&books.db, &[reward(9, user, 1), changed]).await;
        assert!(matches!(result, Err(LedgerError::Conflict)), "{result:?}");
    }
    assert_eq!(
        books.balance(user).await,
        5,
        "the good half of a refused call was kept"
    );
    assert_eq!(books.balance(other).await, 0);
    books.assert_adds_up().await;
}

#[tokio::test]
async fn a_balance_cannot_fall_below_zero() {
    let books = Books::new().await;
    let user = books.user().await;
    post(&books.db, &[reward(1, user, 5)]).await.unwrap();
    let result = post(&books.db, &[charge("a", user, 6)]).await;
    assert!(
        matches!(result, Err(LedgerError::InsufficientFunds)),
        "{result:?}"
    );
    post(&books.db, &[charge("b", user, 5)]).await.unwrap();
    assert_eq!(books.balance(user).await, 0);
    books.assert_adds_up().await;
}

#[tokio::test]
async fn nothing_leaves_a_frozen_account_and_what_is_owed_to_it_still_arrives() {
    let books = Books::new().await;
    let (user, other) = (books.user().await, books.user().await);
    post(&books.db, &[reward(1, user, 5)]).await.unwrap();
    books.freeze(user, true).await;
    let result = post(&books.db, &[charge("a", user, 1)]).await;
    assert!(matches!(result, Err(LedgerError::Frozen)), "{result:?}");
    // A batch with a frozen user in it does not hold up the others.
    let batch = [reward(2, user, 5), reward(3, other, 7)];
    assert_eq!(post(&books.db, &batch).await.unwrap().len(), 2);
    assert_eq!(post(&books.db, &[reward(1, user, 5)]).await.unwrap(), []);
    assert_eq!(books.balance(user).await, 10);
    assert_eq!(books.balance(other).await, 7);
    books.assert_adds_up().await;
}

#[tokio::test]
async fn money_is_not_sent_to_an_account_that_was_never_opened() {
    let books = Books::new().await;
    books.user().await;
    let result = post(&books.db, &[reward(1, Uuid::new_v4(), 5)]).await;
    assert!(
        matches!(result, Err(LedgerError::UnknownAccount)),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_rolled_back_posting_leaves_nothing() {
    let books = Books::new().await;
    let user = books.user().await;
    let tx = books.db.begin().await.unwrap();
    post(&tx, &[reward(1, user, 5)]).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(books.balance(user).await, 0);
    assert_eq!(
        post(&books.db, &[reward(1, user, 5)]).await.unwrap().len(),
        1
    );
    books.assert_adds_up().await;
}
