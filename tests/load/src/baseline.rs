//! What the database can do at best: the same rows in tables with the same columns and indexes, without any rule.

use crate::drive::Failure;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

const TABLES: &str = "
    CREATE TABLE bare_account (LIKE ledger_account INCLUDING ALL);
    CREATE TABLE bare_tx (LIKE ledger_tx INCLUDING ALL);
    CREATE TABLE bare_entry (LIKE ledger_entry INCLUDING ALL);
    CREATE TABLE bare_vau (LIKE vaus INCLUDING ALL);
    CREATE FUNCTION bare_post(tx uuid, a uuid, b uuid, units bigint) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        va bigint;
        vb bigint;
    BEGIN
        PERFORM FROM bare_account WHERE id IN (a, b) ORDER BY id FOR NO KEY UPDATE;
        INSERT INTO bare_tx (id, kind, source_ref, fingerprint, effective_at)
        VALUES (tx, 'bare', tx::text, decode(repeat('00', 32), 'hex'), now());
        UPDATE bare_account SET posted_debits = posted_debits + units, version = version + 1
        WHERE id = a RETURNING version INTO va;
        UPDATE bare_account SET posted_credits = posted_credits + units, version = version + 1
        WHERE id = b RETURNING version INTO vb;
        INSERT INTO bare_entry (account_id, account_version, tx_id, ordinal, side, amount)
        VALUES (a, va, tx, 1, 'debit', units), (b, vb, tx, 2, 'credit', units);
    END $$;
    GRANT EXECUTE ON FUNCTION bare_post TO twist_app;
    GRANT SELECT, INSERT, UPDATE ON bare_account, bare_tx, bare_entry, bare_vau TO twist_app;";

/// Makes the tables, empty, and the function that moves an amount in them.
pub(crate) async fn make(owner: &DatabaseConnection) -> Result<(), Failure> {
    owner.execute_unprepared(TABLES).await?;
    Ok(())
}

/// Gives the baseline the accounts that the ledger has.
pub(crate) async fn copy_accounts(owner: &DatabaseConnection) -> Result<(), Failure> {
    let sql =
        "INSERT INTO bare_account SELECT * FROM ledger_account ON CONFLICT DO NOTHING; ANALYZE;";
    owner.execute_unprepared(sql).await?;
    Ok(())
}

/// What autovacuum does within a minute: a connection keeps the plans of the first writes, made for tables of one page,
/// until it is done.
pub(crate) async fn analyze(owner: &DatabaseConnection) -> Result<(), Failure> {
    owner.execute_unprepared("ANALYZE").await?;
    Ok(())
}

/// Moves one unit from `debit` to `credit`.
pub(crate) async fn post(
    database: &DatabaseConnection,
    debit: Uuid,
    credit: Uuid,
) -> Result<(), Failure> {
    let values = [
        Uuid::new_v4().into(),
        debit.into(),
        credit.into(),
        1_i64.into(),
    ];
    let sql = "SELECT bare_post($1, $2, $3, $4)";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    database.execute_raw(statement).await?;
    Ok(())
}
