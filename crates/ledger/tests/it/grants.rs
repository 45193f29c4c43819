use crate::support::{Books, reward};
use ledger::account::Stripe;
use ledger::posting::post;
use sea_orm::{ConnectionTrait, TransactionTrait};

#[tokio::test]
async fn a_service_cannot_write_the_ledger_around_its_rules() {
    let books = Books::new().await;
    let user = books.user().await;
    post(&books.db, &[reward(1, user, 5)]).await.unwrap();
    for sql in [
        "UPDATE ledger_entry SET amount = 500",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_tx SET source_ref = 'x'",
        "DELETE FROM ledger_tx",
        "TRUNCATE ledger_entry",
        "UPDATE ledger_account SET posted_credits = 500",
        "UPDATE ledger_account SET floor = NULL",
        "INSERT INTO ledger_tx (id, kind, source_ref, fingerprint, effective_at) \
         SELECT gen_random_uuid(), 'x', 'x', fingerprint, now() FROM ledger_tx",
        "INSERT INTO ledger_entry (account_id, account_version, tx_id, ordinal, side, amount) \
         SELECT account_id, 99, tx_id, 99, side, amount FROM ledger_entry LIMIT 1",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TABLE ledger_entry",
    ] {
        let error = books
            .db
            .execute_unprepared(sql)
            .await
            .expect_err(sql)
            .to_string();
        assert!(
            error.contains("permission denied") || error.contains("must be owner"),
            "{sql}: {error}"
        );
    }
    assert_eq!(books.balance(user).await, 5);
}

#[tokio::test]
async fn an_unbalanced_or_empty_transaction_is_refused_by_the_database_itself() {
    let books = Books::new().await;
    let user = books.user().await;
    let account = ledger::Account::UserAvailable(user).id().as_uuid();
    let tx = uuid::Uuid::new_v4();
    let call = |entries: &str| {
        format!(
            "SELECT ledger_post(ARRAY['{tx}']::uuid[], ARRAY['x'], ARRAY['x'], ARRAY[now()], {entries})"
        )
    };
    for entries in [
        format!(
            "ARRAY['{tx}']::uuid[], ARRAY['{account}']::uuid[], \
             ARRAY['credit']::ledger_side[], ARRAY[5]::bigint[]"
        ),
        "'{}', '{}', '{}', '{}'".to_owned(),
        format!(
            "ARRAY['{tx}','{tx}']::uuid[], ARRAY['{account}','{account}']::uuid[], \
             ARRAY['credit','debit']::ledger_side[], ARRAY[-5,-5]::bigint[]"
        ),
        format!(
            "ARRAY['{tx}','{tx}']::uuid[], ARRAY['{account}','{account}']::uuid[], \
             ARRAY['credit','debit']::ledger_side[], ARRAY[0,0]::bigint[]"
        ),
    ] {
        assert!(
            books.db.execute_unprepared(&call(&entries)).await.is_err(),
            "{entries}"
        );
    }
    let transfer = |credit: &str, amount: &str| {
        format!("SELECT ledger_transfer('{tx}', 'x', 'x', 0, '{account}', {credit}, {amount})")
    };
    let rewards = ledger::Account::PlatformRewards(Stripe::of(user));
    let rewards = format!("'{}'", rewards.id().as_uuid());
    for (credit, amount) in [
        (format!("'{account}'"), "5"),
        (rewards.clone(), "0"),
        (rewards.clone(), "-5"),
        (rewards, "NULL"),
        ("NULL".to_owned(), "5"),
    ] {
        let call = transfer(&credit, amount);
        assert!(books.db.execute_unprepared(&call).await.is_err(), "{call}");
    }
    assert_eq!(books.broken().await, Vec::<&str>::new());
}

/// Functions that run as the owner must not look into a schema that the caller fills.
#[tokio::test]
async fn a_temporary_table_does_not_stand_in_for_the_ledger() {
    let books = Books::new().await;
    let user = books.user().await;
    let shadow = "CREATE TEMPORARY TABLE ledger_account (LIKE public.ledger_account INCLUDING ALL)";
    // The migration takes the right away from services; a copied database, as tests have, gives it back.
    let session = books.db.begin().await.unwrap();
    session.execute_unprepared(shadow).await.unwrap();
    session
        .execute_unprepared(
            "INSERT INTO pg_temp.ledger_account SELECT * FROM public.ledger_account",
        )
        .await
        .unwrap();
    session
        .execute_unprepared("GRANT ALL ON pg_temp.ledger_account TO PUBLIC")
        .await
        .unwrap();
    post(&session, &[reward(1, user, 5)]).await.unwrap();
    session
        .execute_unprepared("DROP TABLE pg_temp.ledger_account")
        .await
        .unwrap();
    session.commit().await.unwrap();
    assert_eq!(books.balance(user).await, 5);
    assert_eq!(books.broken().await, ["V1"]);
    books
        .as_owner("ALTER FUNCTION ledger_post SET search_path = pg_catalog, public")
        .await;
    assert_eq!(books.broken().await, ["L6", "V1"]);
}
