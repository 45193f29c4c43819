//! TCP ports on the loopback address.

use crate::{StackError, random_hex};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Whether nothing listens on `port` of the loopback address, on any address it could be reached by.
pub fn is_free(port: u16) -> bool {
    // A listener on 0.0.0.0 does not always stop a bind to 127.0.0.1, so ask for an answer too.
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Below the ports that the kernel gives to outgoing connections: one of those cannot take a port between
/// its choice and its use, nor while its server is stopped for a moment.
const RANGE: std::ops::Range<u16> = 10_000..32_000;

/// A port that is free now, and that this process was not given before.
pub fn free_port() -> Result<u16, StackError> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Drawn, not counted up, so that processes that start together do not follow each other.
    for _ in 0..1_000 {
        let drawn = u16::from_str_radix(&random_hex(2)?, 16).unwrap_or_default();
        let port = RANGE.start + drawn % (RANGE.end - RANGE.start);
        if is_free(port) && given.insert(port) {
            return Ok(port);
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(StackError::io("take a port on", Path::new("127.0.0.1")))
}

/// `preferred` if it is free and not among `taken`, else another.
pub fn preferred_or_free(preferred: u16, taken: &[u16]) -> Result<u16, StackError> {
    let mut port = preferred;
    while taken.contains(&port) || !is_free(port) {
        port = free_port()?;
    }
    Ok(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_not_given_out() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let used = listener.local_addr().unwrap().port();
        assert!(!is_free(used));
        assert_ne!(preferred_or_free(used, &[]).unwrap(), used);
    }

    #[test]
    fn no_two_servers_of_a_process_are_given_the_same_port() {
        let ports: BTreeSet<u16> = (0..200).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 200);
        assert!(ports.iter().all(|port| RANGE.contains(port)));
    }

    #[test]
    fn a_port_promised_to_another_component_is_not_given_out_twice() {
        let port = free_port().unwrap();
        assert_ne!(preferred_or_free(port, &[port]).unwrap(), port);
    }
}
