//! How many requests are served at a time.

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

/// Too many requests are being served.
#[derive(Debug, thiserror::Error)]
#[error("too many requests are being served")]
pub(crate) struct Overloaded;

/// The places for requests.
#[derive(Debug)]
pub(super) struct Slots {
    taken: AtomicUsize,
    max: usize,
}

impl Slots {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            taken: AtomicUsize::new(0),
            max,
        })
    }

    /// A place, if there is one.
    pub(super) fn take(self: &Arc<Self>) -> Option<Arc<Slot>> {
        self.enter().then(|| {
            Arc::new(Slot {
                slots: Arc::clone(self),
                held: AtomicBool::new(true),
            })
        })
    }

    fn enter(&self) -> bool {
        let full = self.taken.fetch_add(1, Ordering::Relaxed) >= self.max;
        if full {
            self.leave();
        }
        !full
    }

    fn leave(&self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One place, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    held: AtomicBool,
}

impl Slot {
    fn give_back(&self) {
        if self.held.swap(false, Ordering::Relaxed) {
            self.slots.leave();
        }
    }

    fn take_again(&self) -> bool {
        if self.held.load(Ordering::Relaxed) {
            return true;
        }
        let entered = self.slots.enter();
        self.held.store(entered, Ordering::Relaxed);
        entered
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// A body that takes no place while it is waited for: clients that send slowly keep nobody out.
pub(super) struct Arriving {
    body: Body,
    slot: Arc<Slot>,
}

impl Arriving {
    pub(super) fn wrap(body: Body, slot: Arc<Slot>) -> Body {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Self { body, slot })
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Pending => {
                this.slot.give_back();
                Poll::Pending
            }
            Poll::Ready(_) if !this.slot.take_again() => {
                Poll::Ready(Some(Err(axum::Error::new(Overloaded))))
            }
            ready @ Poll::Ready(_) => ready,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
