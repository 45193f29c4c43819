//! The whole platform on this machine.

mod converge;
mod edge;
mod launch;
mod live;
mod options;
mod part;
mod ports;
mod record;
mod secrets;
mod terms;
mod twin;

pub(crate) use launch::{app_url, is_ready, owner_url, redis_url};
pub use live::{Platform, endpoints, stop_recorded};
pub use options::{Options, PortChoice};
pub use part::Part;
pub use ports::Ports;
pub use record::{PartRecord, Record};
pub use secrets::Secrets;
pub use twin::Twin;

use crate::{CtlError, Paths};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

/// Held while the platform is being started or stopped, so that two commands do not do it at once.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "unlocks when it is dropped")] File);

impl Lock {
    /// Waits for its turn.
    pub fn take(paths: &Paths) -> Result<Self, CtlError> {
        let state = &paths.state;
        fs::create_dir_all(state).map_err(CtlError::io("make", state))?;
        // Root gives PostgreSQL to another user, who has to get through.
        let mode = if stack::is_root() { 0o711 } else { 0o700 };
        fs::set_permissions(state, fs::Permissions::from_mode(mode))
            .map_err(CtlError::io("set the mode of", state))?;
        let path = state.join("lock");
        let file = File::create(&path).map_err(CtlError::io("open", &path))?;
        file.lock().map_err(CtlError::io("lock", &path))?;
        Ok(Self(file))
    }
}
