//! The ledger's errors on their way to the caller.

use ledger::LedgerError;
use service::ApiError;

/// What a failure of the ledger means for a caller that only reads, or that delivers VAUs: none of the
/// refusals can be the caller's doing.
pub(crate) fn from_ledger(error: LedgerError) -> ApiError {
    match error {
        LedgerError::Database(error) => error.into(),
        other => ApiError::internal(&other),
    }
}
