//! A payout as stored.

use crate::PayoutError;
use crate::sql::{amount, malformed, one};
use contracts::payout::PayoutMethod;
use domain::payout::{Quote, State};
use ledger::{Influencer, TxId, TxKind};
use sea_orm::{DatabaseTransaction, DbErr, QueryResult};
use time::OffsetDateTime;
use uuid::Uuid;

/// How a payout is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Into the payee's available balance.
    Ledger,
    /// To a wallet on chain.
    Crypto,
    /// To a bank account.
    Bank,
    /// To a `PayPal` account.
    Paypal,
}

impl Method {
    /// Each one.
    pub const ALL: [Self; 4] = [Self::Ledger, Self::Crypto, Self::Bank, Self::Paypal];

    /// As stored and as on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Crypto => "crypto",
            Self::Bank => "bank",
            Self::Paypal => "paypal",
        }
    }

    /// The one with this word.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

impl From<PayoutMethod> for Method {
    fn from(method: PayoutMethod) -> Self {
        match method {
            PayoutMethod::Ledger => Self::Ledger,
            PayoutMethod::Crypto => Self::Crypto,
            PayoutMethod::Bank => Self::Bank,
            PayoutMethod::Paypal => Self::Paypal,
        }
    }
}

impl From<Method> for PayoutMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Ledger => Self::Ledger,
            Method::Crypto => Self::Crypto,
            Method::Bank => Self::Bank,
            Method::Paypal => Self::Paypal,
        }
    }
}

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Names it for ever.
    pub id: Uuid,
    /// Whose earnings, and who is paid.
    pub influencer: Influencer,
    /// How.
    pub method: Method,
    /// Where to, if the method needs one.
    pub wallet_address: Option<String>,
    /// The terms that it was asked for under.
    pub policy_id: i64,
    /// What is paid, and to whom.
    pub quote: Quote,
    /// Where it is.
    pub state: State,
    /// Counts its changes, from 1.
    pub version: i64,
    /// The transaction that paid it.
    pub transaction_id: Option<Uuid>,
    /// Why it was turned down or failed.
    pub failure_reason: Option<String>,
    /// When it was asked for.
    pub requested_at: OffsetDateTime,
    /// When it was approved last.
    pub approved_at: Option<OffsetDateTime>,
    /// When it was over.
    pub processed_at: Option<OffsetDateTime>,
    /// When it changed last.
    pub updated_at: OffsetDateTime,
}

/// What [`Payout::read`] needs of a row.
pub const COLUMNS: &str = "id, influencer_id, user_id, method, wallet_address, policy_id, amount, platform_fee, \
     processing_fee, net, state, version, transaction_id, failure_reason, requested_at, approved_at, processed_at, \
     updated_at";

impl Payout {
    /// A row that has [`COLUMNS`].
    ///
    /// # Errors
    /// When it is none of `payouts`.
    pub fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let (method, state): (String, String) =
            (row.try_get("", "method")?, row.try_get("", "state")?);
        Ok(Self {
            id: row.try_get("", "id")?,
            influencer: Influencer {
                user: row.try_get("", "user_id")?,
                id: row.try_get("", "influencer_id")?,
            },
            method: Method::from_text(&method)
                .ok_or_else(|| malformed("a payout of no known method"))?,
            wallet_address: row.try_get("", "wallet_address")?,
            policy_id: row.try_get("", "policy_id")?,
            quote: Quote {
                amount: amount(row, "amount")?,
                platform_fee: amount(row, "platform_fee")?,
                processing_fee: amount(row, "processing_fee")?,
                net: amount(row, "net")?,
            },
            state: State::from_text(&state)
                .ok_or_else(|| malformed("a payout in no known state"))?,
            version: row.try_get("", "version")?,
            transaction_id: row.try_get("", "transaction_id")?,
            failure_reason: row.try_get("", "failure_reason")?,
            requested_at: row.try_get("", "requested_at")?,
            approved_at: row.try_get("", "approved_at")?,
            processed_at: row.try_get("", "processed_at")?,
            updated_at: row.try_get("", "updated_at")?,
        })
    }

    /// The pending transaction that holds its money.
    pub(crate) fn reservation(&self) -> TxId {
        TxId::of(TxKind::PayoutRequested, &self.id.to_string())
    }
}

/// Locks the payout `id` until the transaction ends, waiting for whoever has it.
///
/// # Errors
/// [`PayoutError::NotFound`], or when the database fails.
pub async fn lock(tx: &DatabaseTransaction, id: Uuid) -> Result<Payout, PayoutError> {
    let sql = format!("SELECT {COLUMNS} FROM payouts WHERE id = $1 FOR NO KEY UPDATE");
    let row = one(tx, &sql, [id.into()]).await?;
    Ok(Payout::read(&row.ok_or(PayoutError::NotFound)?)?)
}
