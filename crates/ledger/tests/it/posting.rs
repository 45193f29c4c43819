use crate::support::{Books, charge, reward};
use ledger::posting::{TxKind, post};
use ledger::{LedgerError, Posting};
use sea_orm::{
    DatabaseConnection, DbBackend, FromQueryResult, JsonValue, Statement, TransactionTrait,
};
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

/// Everything that postings leave, but for when they were recorded.
async fn rows(db: &DatabaseConnection) -> Vec<JsonValue> {
    let sql = "SELECT 'tx' AS what, t.seq AS at, to_jsonb(t) - '{seq,recorded_at}'::text[] AS it FROM ledger_tx t \
               UNION ALL SELECT 'entry', 0, to_jsonb(e) FROM ledger_entry e \
               UNION ALL SELECT 'account', 0, to_jsonb(a) - 'opened_at' FROM ledger_account a \
               ORDER BY 1, 2, 3";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let rows = JsonValue::find_by_statement(statement).all(db).await;
    rows.unwrap()
        .into_iter()
        .map(|row| row["it"].clone())
        .collect()
}

/// Fear: one posting takes another way through the database than several, and the two come apart.
#[tokio::test]
async fn a_posting_alone_leaves_what_it_leaves_among_others() {
    let (alone, together) = (Books::new().await, Books::new().await);
    let (user, other) = (alone.user().await, alone.user().await);
    for user in [user, other] {
        together.open(user).await;
    }
    let mut postings: Vec<_> = (1..40)
        .map(|n| reward(n, if n % 3 == 0 { other } else { user }, 10))
        .collect();
    // The fingerprint is over a text that has to say which text it is.
    let sources = ["a\"], [\\", "\n\t\u{1}", "ü 🦀", "</c>"];
    let mut charges = sources.map(|source| charge(source, user, 4)).to_vec();
    // One that credits before it debits.
    let turned = charge("d", user, 4).legs().iter().rev().copied().collect();
    let at = charges[0].effective_at();
    charges.push(Posting::new(TxKind::OperatorDeposit, "d", at, turned).unwrap());
    // Numbers and versions are given in the order of the ids.
    postings.sort_by_key(|posting| posting.id().as_uuid());
    for list in [&postings[..], &charges[..]] {
        let mut list = list.to_vec();
        list.sort_by_key(|posting| posting.id().as_uuid());
        for posting in &list {
            let new = post(&alone.db, std::slice::from_ref(posting)).await;
            assert_eq!(new.unwrap(), [posting.id()]);
        }
        assert_eq!(post(&together.db, &list).await.unwrap().len(), list.len());
    }
    assert_eq!(rows(&alone.db).await, rows(&together.db).await);

    // And is refused as it is among others.
    alone.freeze(other, true).await;
    let known = |amount| [reward(1, user, amount)];
    assert_eq!(post(&alone.db, &known(10)).await.unwrap(), []);
    for (refused, why) in [
        (reward(1, user, 11), LedgerError::Conflict),
        (charge("f", other, 1), LedgerError::Frozen),
        (charge("e", user, 1_000_000), LedgerError::InsufficientFunds),
        (reward(99, Uuid::new_v4(), 1), LedgerError::UnknownAccount),
    ] {
        let said = |result: Result<_, LedgerError>| result.unwrap_err().to_string();
        let by_itself = post(&alone.db, std::slice::from_ref(&refused)).await;
        assert_eq!(said(by_itself), why.to_string(), "{refused:?}");
        let with_another = post(&alone.db, &[reward(100, user, 1), refused]).await;
        assert_eq!(said(with_another), why.to_string());
    }
    assert_eq!(rows(&alone.db).await.len(), rows(&together.db).await.len());
    alone.assert_adds_up().await;
    together.assert_adds_up().await;
}
