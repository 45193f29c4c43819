//! Two instances of each service, behind one address each.

use crate::Turn;
use client::{Client, Endpoints};
use testkit::SpreadProxy;
use tokio::task::block_in_place;
use twistctl::platform::{Part, Twin};

/// A second auth-service and a second influencer-api, beside those of the platform. They stop with this value.
#[derive(Debug)]
pub struct Pair {
    auth: Twin,
    api: Twin,
    auth_address: SpreadProxy,
    api_address: SpreadProxy,
    first: Endpoints,
}

impl Pair {
    /// Starts the second ones.
    pub async fn beside(turn: &Turn) -> Self {
        let (auth, api) = block_in_place(|| (turn.twin(Part::Auth), turn.twin(Part::Api)));
        let first = turn.endpoints();
        let ports = turn.ports();
        Self {
            auth_address: SpreadProxy::over(vec![ports[0], auth.port()]).await,
            api_address: SpreadProxy::over(vec![ports[1], api.port()]).await,
            auth,
            api,
            first,
        }
    }

    /// A client of the two addresses: each of its connections reaches another instance.
    pub fn client(&self) -> Client {
        self.at(self.auth_address.url(), self.api_address.url())
    }

    /// A client of the first instances only.
    pub fn first(&self) -> Client {
        self.at(self.first.auth.clone(), self.first.api.clone())
    }

    /// A client of the second instances only.
    pub fn second(&self) -> Client {
        self.at(self.auth.url(), self.api.url())
    }

    /// The one address of both instances of influencer-api.
    pub fn api_url(&self) -> String {
        self.api_address.url()
    }

    fn at(&self, auth: String, api: String) -> Client {
        let edge = self.first.edge.clone();
        Client::new(Endpoints { auth, api, edge }).unwrap()
    }
}
