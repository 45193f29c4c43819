//! Where a request is from.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use telemetry::privacy::Pii;

const FORWARDED_FOR: &str = "x-forwarded-for";
const CF_CONNECTING_IP: &str = "cf-connecting-ip";

/// The network address of who calls; every request has it among its extensions. It is that of the connection, or, if
/// a trusted proxy made that, what the proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub Pii<IpAddr>);

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    trusted: Vec<IpNet>,
    cf_connecting_ip: bool,
}

impl Proxies {
    pub(super) const fn new(trusted: Vec<IpNet>, cf_connecting_ip: bool) -> Self {
        Self {
            trusted,
            cf_connecting_ip,
        }
    }

    /// Who sent a request with `headers` over a connection from `peer`. Each proxy appends whom it heard from, so the
    /// last that is no proxy of ours is the first whom one of ours has seen; what stands before may be invented.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        let address = if self.trusts(peer) {
            self.forwarded(headers).unwrap_or(peer)
        } else {
            peer
        };
        ClientAddress(address.into())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted
            .iter()
            .any(|network| network.contains(&address))
    }

    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        if self.cf_connecting_ip
            && let Some(value) = headers.get(CF_CONNECTING_IP)
        {
            return address(value.to_str().ok()?);
        }
        let mut furthest = None;
        for line in headers.get_all(FORWARDED_FOR).iter().rev() {
            for hop in line.to_str().ok()?.rsplit(',') {
                let hop = address(hop)?;
                furthest = Some(hop);
                if !self.trusts(hop) {
                    return furthest;
                }
            }
        }
        furthest
    }
}

/// An address, as proxies write it: with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "fd00::/8"]
            .map(str::parse)
            .into_iter()
            .flatten();
        let proxies = Proxies::new(trusted.collect(), false);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.extend(
                HeaderValue::from_str(line)
                    .map(|value| (http::HeaderName::from_static(FORWARDED_FOR), value)),
            );
        }
        peer.parse().map_or_else(
            |_| String::new(),
            |peer| proxies.client(peer, &headers).0.expose().to_string(),
        )
    }

    #[test]
    fn nobody_chooses_the_address_that_is_counted() {
        for (peer, lines, expected) in [
            // Not a proxy of ours: what it says is nothing.
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("192.0.2.1", &[], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            // Invented hops stand first.
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1",
                &["1.1.1.1", "198.51.100.7, 10.0.0.9"],
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["1.1.1.1, nonsense, 198.51.100.7"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7, "], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7, \u{fe}"], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("fd00::1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
        ] {
            assert_eq!(client(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_header_of_one_proxy_counts_only_where_it_is_configured() {
        let mut headers = HeaderMap::new();
        headers.insert(CF_CONNECTING_IP, HeaderValue::from_static("198.51.100.7"));
        headers.insert(FORWARDED_FOR, HeaderValue::from_static("198.51.100.8"));
        let peer = IpAddr::from([10, 0, 0, 1]);
        let trusted = vec![IpNet::from(peer)];
        let with = |on| {
            *Proxies::new(trusted.clone(), on)
                .client(peer, &headers)
                .0
                .expose()
        };
        assert_eq!(with(true), IpAddr::from([198, 51, 100, 7]));
        assert_eq!(with(false), IpAddr::from([198, 51, 100, 8]));
        let other = Proxies::new(Vec::new(), true).client(peer, &headers).0;
        assert_eq!(*other.expose(), peer);
    }
}
