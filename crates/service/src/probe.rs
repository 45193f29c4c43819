//! The health check of a container: an image has no shell and no curl, so the program asks itself.

use http::StatusCode;
use reqwest::redirect::Policy;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// An answer that takes longer is none.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why the instance is not to be used. Its text is for whoever looks at the container.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The configured port is 0, so nobody outside the instance knows which one it took.
    #[error("the configured port is 0: configure one that can be asked")]
    NoPort,
    /// No answer, or not in time.
    #[error("{address} does not answer: {cause}")]
    Silent {
        /// Who was asked.
        address: SocketAddr,
        /// Why there is no answer.
        cause: String,
    },
    /// It answers that it cannot work.
    #[error("{address} is not ready: /ready answered {status}")]
    NotReady {
        /// Who was asked.
        address: SocketAddr,
        /// Its answer.
        status: StatusCode,
    },
}

/// Asks the instance on this machine that listens on `listen` whether it is ready.
///
/// # Errors
/// When it is not, or does not say so within 2 seconds.
pub async fn ready(listen: SocketAddr) -> Result<(), ProbeError> {
    if listen.port() == 0 {
        return Err(ProbeError::NoPort);
    }
    let address = loopback(listen);
    let silent = |error: reqwest::Error| ProbeError::Silent {
        address,
        cause: cause(&error),
    };
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .map_err(silent)?;
    let url = format!("http://{address}/ready");
    match client.get(url).send().await.map_err(silent)?.status() {
        StatusCode::OK => Ok(()),
        status => Err(ProbeError::NotReady { address, status }),
    }
}

/// How to reach, from the same machine, what listens there.
fn loopback(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The innermost reason: the outer ones only say that a request failed.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("nothing within {} s", TIMEOUT.as_secs());
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_listens_everywhere_is_asked_over_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:3001", "127.0.0.1:3001"),
            ("[::]:3001", "[::1]:3001"),
            ("127.0.0.1:3001", "127.0.0.1:3001"),
            ("10.0.0.7:3001", "10.0.0.7:3001"),
        ] {
            let listen: SocketAddr = listen.parse().unwrap_or_else(|_| ([0; 4], 0).into());
            assert_eq!(loopback(listen).to_string(), asked);
        }
    }
}
