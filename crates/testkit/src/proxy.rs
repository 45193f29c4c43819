//! TCP in between: a connection that can be cut, and one address for several servers.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes loopback TCP on to a port, until it is cut. Ends with its value.
#[derive(Debug)]
pub struct CutProxy {
    port: u16,
    open: watch::Sender<bool>,
}

impl CutProxy {
    /// Listens, and passes on to `target` of the loopback address.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("listen on a free port");
        let port = listener.local_addr().expect("know the own port").port();
        let (open, state) = watch::channel(true);
        tokio::spawn(serve(listener, target, state));
        Self { port, open }
    }

    /// The port to connect to instead of the target's.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `url` with this proxy in place of its port.
    pub fn instead_of(&self, port: u16, url: &str) -> String {
        url.replace(&format!(":{port}"), &format!(":{}", self.port))
    }

    /// Ends every connection and accepts none.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Passes new connections on again.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn serve(listener: TcpListener, target: u16, mut state: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { return };
                if *state.borrow() {
                    tokio::spawn(pass(stream, target, state.clone()));
                }
            }
            // Fails when the proxy's value is gone.
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

async fn pass(mut from: TcpStream, target: u16, mut state: watch::Receiver<bool>) {
    let Ok(mut to) = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], target))).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut from, &mut to) => {}
        _ = state.wait_for(|open| !open) => {}
    }
}

/// One loopback address for several servers: each new connection goes to the next of them, as a load balancer does it.
/// Ends with its value.
#[derive(Debug)]
pub struct SpreadProxy {
    port: u16,
    _open: watch::Sender<bool>,
}

impl SpreadProxy {
    /// Listens, and spreads connections over `targets`.
    pub async fn over(targets: Vec<u16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("listen on a free port");
        let port = listener.local_addr().expect("know the own port").port();
        let (open, mut state) = watch::channel(true);
        tokio::spawn(async move {
            let mut next = targets.iter().cycle();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (Ok((stream, _)), Some(target)) = (accepted, next.next()) else { return };
                        tokio::spawn(pass(stream, *target, state.clone()));
                    }
                    changed = state.changed() => if changed.is_err() { return },
                }
            }
        });
        Self { port, _open: open }
    }

    /// The one address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
