//! Asking tasks to end when they are done with what they do.

use std::future::Future;
use std::time::Duration;
use tokio::sync::watch;

/// Asks; so does dropping it.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Is asked; cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A pair.
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// Whether it was asked.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Done when it was asked.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        // Fails when the other half is gone: then too.
        let _ = receiver.wait_for(|asked| *asked).await;
    }

    /// Waits for `pause`, less when asked.
    pub async fn sleep(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.asked() => {}
        }
    }

    /// The outcome of `work`, or `None` when asked before.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            outcome = work => Some(outcome),
            () = self.asked() => None,
        }
    }
}

impl Stopper {
    /// Asks.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
