//! The HTTP server's section.

use super::Problems;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

/// How requests are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Origins of web pages that may call the service, as a browser writes them: `https://app.example.org`. A page
    /// of any other origin is refused; without any, every page is, except those of the service itself.
    pub allowed_origins: Vec<String>,
    /// Networks of the proxies in front of the service, such as `10.0.0.0/8` or `127.0.0.1`. Only what they say in
    /// `X-Forwarded-For` is believed; without any, who connects is who calls.
    pub trusted_proxies: Vec<String>,
    /// Whether a trusted proxy's `CF-Connecting-IP` is believed rather than its `X-Forwarded-For`. Only for a proxy
    /// that replaces what clients send under that name, as Cloudflare does.
    pub cf_connecting_ip: bool,
    /// A request that takes longer is answered 503 `request.timeout`.
    #[schemars(range(min = 1, max = 600_000))]
    pub request_timeout_ms: u64,
    /// A connection that has not sent a whole request head by then is closed. Also how long a connection may rest
    /// between two requests.
    #[schemars(range(min = 1, max = 600_000))]
    pub header_timeout_ms: u64,
    /// Connections at a time; more wait until one ends.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_connections: u32,
    /// Requests that are served at a time, not counting those whose body is still arriving; more are answered 503
    /// `request.overloaded`.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_in_flight: u32,
    /// How long a stop waits for requests in flight.
    #[schemars(range(min = 0, max = 3_600))]
    pub drain_seconds: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            cf_connecting_ip: false,
            request_timeout_ms: 15_000,
            header_timeout_ms: 20_000,
            max_connections: 4_096,
            max_in_flight: 1_024,
            drain_seconds: 30,
        }
    }
}

impl HttpConfig {
    /// Notes origins and networks that are none.
    pub fn check(&self, problems: &mut Problems) {
        for (index, origin) in self.allowed_origins.iter().enumerate() {
            problems.require(
                &format!("http.allowed_origins.{index}"),
                is_origin(origin),
                "must be an origin as browsers write it, in small letters and without a path: https://app.example.org",
            );
        }
        for (index, network) in self.trusted_proxies.iter().enumerate() {
            problems.require(
                &format!("http.trusted_proxies.{index}"),
                network_of(network).is_some(),
                "must be an address or a network: 127.0.0.1, 10.0.0.0/8, fd00::/8",
            );
        }
    }

    /// The proxies that are believed.
    pub(crate) fn proxies(&self) -> Vec<IpNet> {
        self.trusted_proxies
            .iter()
            .filter_map(|text| network_of(text))
            .collect()
    }

    /// A request that takes longer is answered 503.
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// How long a request head may take.
    pub const fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    /// How long a stop waits for requests in flight.
    pub const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

fn network_of(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Whether `text` is what a browser may send as `Origin`: nothing else is ever equal to one.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    !scheme.is_empty()
        && scheme
            .bytes()
            .all(|b| small(b) || matches!(b, b'+' | b'-' | b'.'))
        && !authority.is_empty()
        && authority
            .bytes()
            .all(|b| small(b) || matches!(b, b'-' | b'.' | b':' | b'[' | b']' | b'_'))
        && (default_port.is_empty() || !authority.ends_with(default_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        for good in [
            "https://app.example.org",
            "http://localhost:3000",
            "http://[::1]:8080",
            "chrome-extension://abcdef",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "https://*.example.org",
            "https://app.example.org/",
            "app.example.org",
            "https://App.example.org",
            "https://app.example.org:443",
            "https://a b",
            "://x",
            "https://",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_is_a_network_of_one_and_nonsense_is_none() {
        assert_eq!(network_of("10.0.0.7"), network_of("10.0.0.7/32"));
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0",
            "::/129",
            "localhost",
            "10.0.0.0/",
        ] {
            assert_eq!(network_of(bad), None, "{bad}");
        }
    }
}
