//! Who the journeys at the edge are walked as.

use crate::smoke::check::{Found, ensure, text};
use crate::smoke::target::Target;
use client::{Client, Device, Session, Wallet};
use domain::SiteId;
use std::net::{IpAddr, Ipv6Addr};

/// Somebody signed in, with a device.
pub(crate) struct Walker {
    pub(crate) session: Session,
    pub(crate) device: Device,
    pub(crate) site: SiteId,
}

/// A new user with a new device.
pub(crate) async fn register(client: &Client) -> Found<Walker> {
    let wallet = Wallet::generate().map_err(text)?;
    let device = Device::generate().map_err(text)?;
    let session = client.sign_in(&wallet).await.map_err(text)?;
    client
        .register_device(&session, &device)
        .await
        .map_err(text)?;
    let list = client.devices(&session).await.map_err(text)?;
    ensure(
        list.devices.iter().any(|d| d.device_id == device.id()),
        || "GET /devices does not list it".into(),
    )?;
    let site = SiteId::try_from("smoke").map_err(text)?;
    let walker = Walker {
        session,
        device,
        site,
    };
    Ok((walker, "listed by GET /devices".into()))
}

/// Locally with an address of its own, so that journeys walked one after the other do not use up each other's
/// minute.
pub(crate) fn as_a_stranger(target: &Target) -> Client {
    match target.local {
        Some(_) => target.client.clone().seen_from(own_address()),
        None => target.client.clone(),
    }
}

/// An address that nobody else has, of the range for documentation.
pub(crate) fn own_address() -> IpAddr {
    let id = uuid::Uuid::new_v4().as_u128();
    Ipv6Addr::from((0x2001_0db8_u128 << 96) | (id >> 32)).into()
}
