//! TCP ports on the loopback address.

use crate::StackError;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

/// Whether nothing listens on `port` of the loopback address, on any address it could be reached by.
pub fn is_free(port: u16) -> bool {
    // A listener on 0.0.0.0 does not always stop a bind to 127.0.0.1, so ask for an answer too.
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
        && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port that is free now.
pub fn free_port() -> Result<u16, StackError> {
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
    fn a_port_promised_to_another_component_is_not_given_out_twice() {
        let port = free_port().unwrap();
        assert_ne!(preferred_or_free(port, &[port]).unwrap(), port);
    }
}
