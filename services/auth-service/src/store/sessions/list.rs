//! The open sessions of a user.

use super::{IS_OPEN, Sessions};
use contracts::auth::SessionInfo;
use domain::WalletAddress;
use service::auth::Principal;
use service::reads::Row;
use service::{ApiError, clock};
use std::sync::LazyLock;
use time::OffsetDateTime;

static OPEN_SESSIONS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT id, wallet_address, created_at, last_used_at, expires_at FROM sessions \
         WHERE user_id = $2 AND {IS_OPEN} ORDER BY created_at DESC, id DESC LIMIT $3"
    )
});

impl Sessions {
    /// Every session of the caller that can still be used, newest first.
    pub(crate) async fn list(&self, caller: &Principal) -> Result<Vec<SessionInfo>, ApiError> {
        let params = [
            self.idle_seconds().into(),
            caller.uid.into(),
            i64::from(self.0.policy.per_user).into(),
        ];
        let rows = self.0.reads.all(OPEN_SESSIONS.as_str(), &params).await?;
        rows.iter().map(|row| read(row, caller)).collect()
    }
}

fn read(row: &Row, caller: &Principal) -> Result<SessionInfo, ApiError> {
    let time = |name| row.get::<OffsetDateTime>(name).map(clock::rfc3339);
    let id = row.get("id")?;
    let wallet: String = row.get("wallet_address")?;
    Ok(SessionInfo {
        id,
        wallet_address: WalletAddress::try_from(wallet.as_str())
            .map_err(|error| ApiError::internal(&error))?,
        created_at: time("created_at")?,
        last_used_at: time("last_used_at")?,
        expires_at: time("expires_at")?,
        current: id == caller.session,
    })
}
