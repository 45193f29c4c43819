//! Removing events and notes that are no longer needed.

use crate::metrics::SWEPT;
use crate::state::AppState;
use sea_orm::DbErr;

pub(super) async fn run(state: AppState) -> Result<(), DbErr> {
    let config = &state.config.sweep;
    // The outbox first: a note is kept for as long as its event can come again.
    let events = bus::sweep::outbox(&state.db, config.outbox_kept()).await?;
    let notes = bus::sweep::inbox(&state.db, config.inbox_kept()).await?;
    metrics::counter!(SWEPT, "table" => "outbox").increment(events);
    metrics::counter!(SWEPT, "table" => "inbox").increment(notes);
    Ok(())
}
