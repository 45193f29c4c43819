use crate::support::{Books, cause, reward, stake};
use ledger::freeze::{FreezeOrder, set_frozen};
use ledger::phase::{post_pending, reserve, void_pending};
use ledger::posting::post;
use ledger::{Account, AccountId, LedgerError, TxKind};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

fn order(account: AccountId, frozen: bool) -> FreezeOrder {
    FreezeOrder {
        id: Uuid::new_v4(),
        account,
        frozen,
        reason: "looked into".to_owned(),
        actor: "operator".to_owned(),
    }
}

#[tokio::test]
async fn an_order_works_once_even_if_it_comes_again_later() {
    let books = Books::new().await;
    let user = books.user().await;
    let db = &books.db;
    let account = Account::UserAvailable(user).id();
    let (freeze, release) = (order(account, true), order(account, false));
    assert!(set_frozen(db, &freeze).await.unwrap());
    assert!(set_frozen(db, &release).await.unwrap());
    assert!(!set_frozen(db, &freeze).await.unwrap());
    post(db, &[reward(1, user, 5)]).await.unwrap();
    post(db, &[stake("a", user, 1)]).await.unwrap();
    let changed = FreezeOrder {
        reason: "another".to_owned(),
        ..freeze
    };
    let result = set_frozen(db, &changed).await;
    assert!(matches!(result, Err(LedgerError::Conflict)), "{result:?}");
    let nobody = order(Account::UserAvailable(Uuid::new_v4()).id(), true);
    let result = set_frozen(db, &nobody).await;
    assert!(
        matches!(result, Err(LedgerError::UnknownAccount)),
        "{result:?}"
    );
    books.assert_adds_up().await;
}

#[tokio::test]
async fn a_freeze_stops_what_is_pending_from_leaving_but_not_from_coming_back() {
    let books = Books::new().await;
    let user = books.user().await;
    let db = &books.db;
    post(db, &[reward(1, user, 5)]).await.unwrap();
    let (one, two) = (stake("a", user, 2), stake("b", user, 2));
    reserve(db, &one, None).await.unwrap();
    reserve(db, &two, None).await.unwrap();
    books.freeze(user, true).await;
    let refused = [
        reserve(db, &stake("c", user, 1), None).await,
        post_pending(db, one.id(), &cause(TxKind::PayoutPaid, "a")).await,
    ];
    for result in refused {
        assert!(matches!(result, Err(LedgerError::Frozen)), "{result:?}");
    }
    let cancel = cause(TxKind::PayoutCancelled, "b");
    assert!(void_pending(db, two.id(), &cancel).await.unwrap());
    books.freeze(user, false).await;
    let paid = cause(TxKind::PayoutPaid, "a");
    assert!(post_pending(db, one.id(), &paid).await.unwrap());
    assert_eq!(
        (books.balance(user).await, books.staked(user).await),
        (3, 2)
    );
    books.assert_adds_up().await;
}

#[tokio::test]
async fn an_account_frozen_without_an_order_is_found() {
    let books = Books::new().await;
    books.user().await;
    books
        .as_owner("UPDATE ledger_account SET frozen = true WHERE kind = 'user:available'")
        .await;
    assert_eq!(books.broken().await, ["L14"]);
}

#[tokio::test]
async fn a_service_cannot_rewrite_what_was_ordered_or_reserved() {
    let books = Books::new().await;
    let user = books.user().await;
    books.freeze(user, true).await;
    for sql in [
        "UPDATE ledger_freeze SET reason = 'x'",
        "DELETE FROM ledger_freeze",
        "DELETE FROM ledger_pending",
        "UPDATE ledger_pending_entry SET amount = 1",
        "SELECT ledger_hold(1, '{}', '{}', '{}')",
        "SELECT ledger_book(gen_random_uuid(), '{}', '{}', '{}')",
    ] {
        let error = books.db.execute_unprepared(sql).await.expect_err(sql);
        assert!(
            error.to_string().contains("permission denied"),
            "{sql}: {error}"
        );
    }
}
