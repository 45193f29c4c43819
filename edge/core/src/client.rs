//! Who calls, as far as headers tell: the request id and the address that limits count.

use domain::bytes::sha256;
use std::net::{IpAddr, Ipv6Addr};

/// A request id of the caller's that we take over: 8 to 64 of `A-Z a-z 0-9 _ -`. Anything else could
/// forge lines in a log.
pub fn request_id(header: Option<&str>) -> Option<&str> {
    header.filter(|id| {
        (8..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    })
}

/// The key under which an address is counted: a hash, so that no address is stored. An IPv6 caller is
/// counted by its /64, of which anyone has 2^64 addresses. Callers without an address share one key.
pub fn rate_key(address: Option<&str>) -> String {
    let network = match address.map(str::parse::<IpAddr>) {
        Some(Ok(IpAddr::V4(v4))) => v4.to_string(),
        Some(Ok(IpAddr::V6(v6))) => v6
            .to_ipv4_mapped()
            .map_or_else(|| prefix(v6), |v4| v4.to_string()),
        Some(Err(_)) | None => "unknown".to_owned(),
    };
    let digest = hex::encode(sha256(network.as_bytes()));
    digest.chars().take(32).collect()
}

fn prefix(address: Ipv6Addr) -> String {
    let network = u128::from(address) & (u128::MAX << 64);
    Ipv6Addr::from(network).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_not_taken_over() {
        assert_eq!(request_id(Some("abcDEF-_09")), Some("abcDEF-_09"));
        let long = "a".repeat(65);
        for bad in [
            "",
            "short",
            "has space ok",
            "new\nline00",
            "quote\"000",
            &long,
        ] {
            assert_eq!(request_id(Some(bad)), None, "{bad:?}");
        }
        assert_eq!(request_id(None), None);
    }

    #[test]
    fn a_caller_cannot_get_a_fresh_limit_by_moving_inside_its_network() {
        let key = |a| rate_key(Some(a));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("nonsense"), rate_key(None));
        assert!(!key("192.0.2.1").contains("192"));
    }
}
