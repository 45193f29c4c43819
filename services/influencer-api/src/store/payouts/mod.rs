//! Payouts as clients read them. What changes them is in the crate of the same name.

mod analytics;
mod calculate;
mod history;

pub use analytics::analytics;
pub use calculate::{Span, calculate};
pub use history::{Filter, find, history};

use ::payouts::{Method, Payee, Payout, Terms};
use contracts::payout::{self as wire, PayoutBalance, PayoutMethod, PayoutPolicy};
use domain::{Amount, WalletAddress};
use ledger::account::{self, Account};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, Value,
};
use service::access::Role;
use service::{ApiError, clock};
use uuid::Uuid;

use crate::error::from_ledger;

/// What payouts are in.
const CURRENCY: &str = "TWIST";

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

async fn one(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    db.query_one_raw(statement(sql, values)).await
}

fn amount(row: &QueryResult, column: &str) -> Result<Amount, DbErr> {
    let units: i64 = row.try_get("", column)?;
    Amount::try_from(units).map_err(malformed)
}

fn count(row: &QueryResult, column: &str) -> Result<u64, DbErr> {
    let number: i64 = row.try_get("", column)?;
    u64::try_from(number).map_err(malformed)
}

fn malformed(error: impl std::fmt::Display) -> DbErr {
    DbErr::Type(error.to_string())
}

/// The influencer that the user `uid` is.
pub async fn payee(db: &impl ConnectionTrait, uid: Uuid) -> Result<Option<Payee>, DbErr> {
    let sql = "SELECT id FROM influencers WHERE user_id = $1";
    let row = one(db, sql, [uid.into()]).await?;
    let id = row.map(|row| row.try_get("", "id")).transpose()?;
    Ok(id.map(|id| Payee { user: uid, id }))
}

/// Whether the user `uid` has `role` now.
pub async fn has_role(db: &impl ConnectionTrait, uid: Uuid, role: Role) -> Result<bool, DbErr> {
    let row = one(db, "SELECT roles FROM users WHERE id = $1", [uid.into()]).await?;
    let roles: Option<Vec<String>> = row.map(|row| row.try_get("", "roles")).transpose()?;
    Ok(role.is_among(&roles.unwrap_or_default()))
}

/// What `payee` has, by what can be done with it.
pub async fn balance(db: &impl ConnectionTrait, payee: Payee) -> Result<PayoutBalance, ApiError> {
    let sql = "SELECT coalesce(sum(amount), 0)::bigint AS reserved FROM payouts \
               WHERE influencer_id = $1 AND state NOT IN ('finalized', 'cancelled', 'rejected', 'failed')";
    let row = one(db, sql, [payee.id.into()]).await?;
    let reserved = row.map_or(Ok(Amount::ZERO), |row| amount(&row, "reserved"))?;
    let available = account::balance(db, Account::InfluencerPayable(payee))
        .await
        .map_err(from_ledger)?;
    let pending = account::balance(db, Account::InfluencerPending(payee))
        .await
        .map_err(from_ledger)?;
    Ok(PayoutBalance {
        balance: available,
        available,
        reserved,
        pending,
        currency: CURRENCY.to_owned(),
        last_updated: clock::now_rfc3339(),
    })
}

/// Says whether `payee` wants a payout of everything each month.
pub async fn set_auto(
    tx: &DatabaseTransaction,
    payee: Payee,
    enabled: bool,
    method: PayoutMethod,
) -> Result<(), DbErr> {
    let sql = "UPDATE influencers SET auto_payout = $2, payout_method = $3 WHERE id = $1";
    let values = [
        payee.id.into(),
        enabled.into(),
        Method::from(method).as_str().into(),
    ];
    tx.execute_raw(statement(sql, values)).await.map(|_| ())
}

/// `payout` as clients see it.
///
/// # Errors
/// When its wallet is none.
pub fn view(payout: Payout) -> Result<wire::Payout, DbErr> {
    let wallet_address = payout
        .wallet_address
        .as_deref()
        .map(WalletAddress::try_from)
        .transpose()
        .map_err(malformed)?;
    Ok(wire::Payout {
        id: payout.id,
        influencer_id: payout.influencer.id,
        amount: payout.quote.amount,
        currency: CURRENCY.to_owned(),
        method: payout.method.into(),
        status: payout.state.status().into(),
        state: payout.state.into(),
        version: payout.version,
        policy_id: payout.policy_id,
        platform_fee: payout.quote.platform_fee,
        processing_fee: payout.quote.processing_fee,
        net_amount: payout.quote.net,
        wallet_address,
        transaction_id: payout.transaction_id,
        failure_reason: payout.failure_reason,
        requested_at: clock::rfc3339(payout.requested_at),
        approved_at: payout.approved_at.map(clock::rfc3339),
        processed_at: payout.processed_at.map(clock::rfc3339),
        updated_at: clock::rfc3339(payout.updated_at),
    })
}

/// Terms as clients see them.
pub fn view_terms(terms: Terms) -> PayoutPolicy {
    PayoutPolicy {
        id: terms.id,
        minimum: terms.policy.minimum(),
        platform_fee_bps: terms.policy.platform_fee_bps(),
        processing_fee: terms.policy.processing_fee(),
        approval_limit: terms.policy.approval_limit(),
        holding_seconds: terms.policy.holding_seconds(),
        actor: terms.actor,
        reason: terms.reason,
        created_at: clock::rfc3339(terms.created_at),
    }
}
