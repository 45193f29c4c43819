//! Which port belongs to whom.

use crate::CtlError;
use crate::platform::{Options, Part, PortChoice, Record};
use serde::{Deserialize, Serialize};

/// The loopback ports of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ports {
    /// `PostgreSQL`.
    pub postgres: u16,
    /// Redis.
    pub redis: u16,
    /// auth-service.
    pub auth: u16,
    /// Its metrics.
    pub auth_ops: u16,
    /// influencer-api.
    pub api: u16,
    /// Its metrics.
    pub api_ops: u16,
    /// settlement-worker; 0 in a record of a platform that had none.
    #[serde(default)]
    pub settlement: u16,
    /// Its metrics.
    #[serde(default)]
    pub settlement_ops: u16,
    /// The Worker.
    pub edge: u16,
}

const PREFERRED: Ports = Ports {
    postgres: 15432,
    redis: 16379,
    auth: 3001,
    auth_ops: 9101,
    api: 3003,
    api_ops: 9103,
    settlement: 3005,
    settlement_ops: 9105,
    edge: 8787,
};

impl Ports {
    /// Those of the last run where they can be had again, else the usual ones, else free ones.
    pub(crate) fn choose(record: Option<&Record>, options: &Options) -> Result<Self, CtlError> {
        let last = record.map(|record| &record.ports);
        let ours = |part| record.is_some_and(|record| record.is_alive(part));
        let mut taken = Vec::new();
        let mut pick = |part: Part, port: fn(&Self) -> u16| -> Result<u16, CtlError> {
            let held = last.map(port).filter(|port| *port != 0);
            let chosen = match held {
                Some(held) if ours(part) && !taken.contains(&held) => held,
                Some(free) => stack::preferred_or_free(free, &taken)?,
                None => match options.ports {
                    PortChoice::Usual => stack::preferred_or_free(port(&PREFERRED), &taken)?,
                    PortChoice::Any => stack::preferred_or_free(stack::free_port()?, &taken)?,
                },
            };
            taken.push(chosen);
            Ok(chosen)
        };
        Ok(Self {
            postgres: pick(Part::Postgres, |p| p.postgres)?,
            redis: pick(Part::Redis, |p| p.redis)?,
            auth: pick(Part::Auth, |p| p.auth)?,
            auth_ops: pick(Part::Auth, |p| p.auth_ops)?,
            api: pick(Part::Api, |p| p.api)?,
            api_ops: pick(Part::Api, |p| p.api_ops)?,
            settlement: pick(Part::Settlement, |p| p.settlement)?,
            settlement_ops: pick(Part::Settlement, |p| p.settlement_ops)?,
            edge: pick(Part::Edge, |p| p.edge)?,
        })
    }

    /// Where a part answers.
    pub const fn of(&self, part: Part) -> u16 {
        match part {
            Part::Postgres => self.postgres,
            Part::Redis => self.redis,
            Part::Auth => self.auth,
            Part::Api => self.api,
            Part::Settlement => self.settlement,
            Part::Edge => self.edge,
        }
    }

    /// Where a service shows its metrics.
    pub const fn ops(&self, part: Part) -> Option<u16> {
        match part {
            Part::Auth => Some(self.auth_ops),
            Part::Api => Some(self.api_ops),
            Part::Settlement => Some(self.settlement_ops),
            Part::Postgres | Part::Redis | Part::Edge => None,
        }
    }

    /// The base URL of a component.
    pub fn url(&self, part: Part) -> String {
        format!("http://127.0.0.1:{}", self.of(part))
    }
}
