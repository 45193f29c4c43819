//! What the bus needs of a stream server, as a small trait of our own.

use std::future::Future;
use std::time::Duration;

/// The stream server did not do what was asked. Nothing is known of whether it had an effect.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The URL cannot be used.
    #[error("the URL of the streams cannot be used: {0}")]
    Url(String),
    /// The group, or the stream with it, is gone: it was deleted, or the server lost its data.
    #[error("a stream or its group is gone")]
    NoGroup,
    /// Not connected, no answer in time, or an error answer.
    #[error("streams: {0}")]
    Unavailable(String),
}

/// A message to be appended.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The area of its topic.
    pub area: String,
    /// The JSON text of its envelope.
    pub envelope: String,
}

/// A message that a consumer got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it came from.
    pub area: String,
    /// What the server calls it.
    pub id: String,
    /// The JSON text of its envelope; `None`: the message has none.
    pub envelope: Option<String>,
    /// How often it was delivered, this time included.
    pub deliveries: u64,
}

/// Messages taken over from consumers that had them for too long.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// The messages.
    pub deliveries: Vec<Delivery>,
    /// The server no longer had some of the messages that were owed.
    pub lost: bool,
}

/// A reader among those of a group.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The consumer's name: each group gets every message once.
    pub group: String,
    /// Differs between instances, and between two starts of one.
    pub name: String,
}

/// Streams of messages, one an area, read by groups.
pub trait Streams: Send + Sync + 'static {
    /// Appends all, in order, and says of each whether it is certain to have been.
    fn append(&self, entries: &[Entry]) -> impl Future<Output = Vec<bool>> + Send;

    /// New messages for `reader`, at most `count` an area; waits up to `block` for the first. Has a connection of its
    /// own, so that nothing else waits with it.
    fn read(
        &self,
        reader: &Reader,
        areas: &[String],
        count: u64,
        block: Duration,
    ) -> impl Future<Output = Result<Vec<Delivery>, StreamError>> + Send;

    /// Takes over at most `count` messages of `area` that were delivered `idle` ago and not acknowledged.
    fn claim(
        &self,
        reader: &Reader,
        area: &str,
        idle: Duration,
        count: u64,
    ) -> impl Future<Output = Result<Claimed, StreamError>> + Send;

    /// The group is done with the message.
    fn acknowledge(
        &self,
        reader: &Reader,
        area: &str,
        id: &str,
    ) -> impl Future<Output = Result<(), StreamError>> + Send;

    /// Makes the group, from the first message of the area on, unless it exists.
    fn make_group(
        &self,
        group: &str,
        area: &str,
    ) -> impl Future<Output = Result<(), StreamError>> + Send;

    /// Names this run of the server: differs after a restart, which may have lost the last messages.
    fn server_run(&self) -> impl Future<Output = Result<String, StreamError>> + Send;

    /// What [`Streams::set_mark`] has left with the group's data; gone when the data is.
    fn mark(&self, group: &str)
    -> impl Future<Output = Result<Option<String>, StreamError>> + Send;

    /// Leaves or, with `None`, removes a note.
    fn set_mark(
        &self,
        group: &str,
        mark: Option<String>,
    ) -> impl Future<Output = Result<(), StreamError>> + Send;
}
