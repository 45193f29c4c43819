//! From checked VAUs to the object's decision: asks the backend about devices the object does not know.

use crate::backend::{self, Registration};
use crate::caller::{note, unreported};
use crate::{evidence, shard};
use domain::{DeviceId, WalletAddress};
use durable_objects::{Bindings, now};
use edge_core::limit::Rate;
use edge_core::shard::{Accept, Accepted, Class, Group, Lookup, Outcome, Reply};
use edge_core::{Refusal, Settings};

/// Checked VAUs, and whose they are.
pub(crate) struct Intake {
    pub(crate) class: Class,
    pub(crate) address: String,
    pub(crate) user_id: WalletAddress,
    pub(crate) groups: Vec<Group>,
}

/// What came of them.
pub(crate) struct Taken {
    pub(crate) outcomes: Vec<(u32, Outcome)>,
    /// Whether the caller should send more VAUs in fewer requests.
    pub(crate) larger_batches: bool,
}

/// Hands VAUs to the object; what is answered as accepted is stored there.
pub(crate) async fn take(
    bindings: &Bindings,
    settings: &Settings,
    intake: Intake,
    rate: &mut Option<Rate>,
) -> Result<Taken, Refusal> {
    let mut groups = intake.groups;
    evidence::weigh(bindings, settings, &intake.user_id, &mut groups).await;
    let mut request = Accept {
        class: intake.class,
        address: intake.address,
        counted: false,
        requests: unreported(),
        user_id: intake.user_id,
        groups,
    };
    let mut accepted = shard::accept(bindings, &request).await?;
    note(rate, accepted.rate);
    if let Reply::AskAbout(devices) = &accepted.reply {
        look_up(settings, &mut request, devices).await;
        request.counted = true;
        request.requests = 0;
        accepted = shard::accept(bindings, &request).await?;
        note(rate, accepted.rate);
    }
    let Accepted {
        rate,
        larger_batches,
        reply,
    } = accepted;
    Ok(Taken {
        outcomes: reply.decided(&rate, now())?,
        larger_batches,
    })
}

async fn look_up(settings: &Settings, request: &mut Accept, devices: &[DeviceId]) {
    let user = request.user_id;
    let asked = request
        .groups
        .iter_mut()
        .filter(|group| devices.contains(&group.device_id));
    let lookups = asked.map(async |group| {
        group.lookup = match backend::registration(settings, &group.device_id, &user).await {
            Registration::Theirs(credentials) => {
                evidence::keep(group.device_id, credentials, now());
                Lookup::Registered
            }
            Registration::NotTheirs => Lookup::NotTheirs,
            Registration::Unavailable => Lookup::Unavailable,
        };
    });
    futures_util::future::join_all(lookups).await;
}
