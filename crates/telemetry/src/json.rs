//! Writes each event as one line of JSON, with the fields of its spans (so the request id) at the top level.

use crate::redact;
use serde::Serialize;
use std::fmt;
use std::io::Write as _;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The layer behind [`crate::init`]; public so that a test can read what would be logged.
#[derive(Debug)]
pub struct JsonLines<W> {
    service: &'static str,
    writer: W,
}

impl<W> JsonLines<W> {
    /// Lines of `service` go to `writer`.
    pub const fn new(service: &'static str, writer: W) -> Self {
        Self { service, writer }
    }
}

/// Fields of a span, kept in its extensions until it closes: as they are written, since a span has many lines.
#[derive(Default)]
struct SpanFields(Vec<(&'static str, Vec<u8>)>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut Fields(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<SpanFields>()
        {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line::default();
        let now = OffsetDateTime::now_utc()
            .format(&Rfc3339)
            .unwrap_or_default();
        line.put("time", &now);
        line.put("level", metadata.level().as_str());
        line.put("service", self.service);
        line.put("target", metadata.target());
        event.record(&mut Fields(&mut line));
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(fields)) = span.extensions().get::<SpanFields>() {
                for (name, value) in fields {
                    // The event comes first and then its spans, innermost first: the first value of a name stands.
                    line.put_written(name, value);
                }
            }
        }
        // One write for the whole line, so that lines of two threads never mix. A closed standard
        // output must not stop a service.
        let _ = self
            .writer
            .make_writer_for(metadata)
            .write_all(&line.finish());
    }
}

/// A line that is being written.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    names: Vec<&'static str>,
}

impl Line {
    fn put(&mut self, name: &'static str, value: impl Serialize) {
        if self.begin(name) {
            write_value(&mut self.text, value);
        }
    }

    fn put_written(&mut self, name: &'static str, value: &[u8]) {
        if self.begin(name) {
            self.text.extend_from_slice(value);
        }
    }

    /// Writes the name, unless there is a value of that name already.
    fn begin(&mut self, name: &'static str) -> bool {
        if self.names.contains(&name) {
            return false;
        }
        if self.names.is_empty() {
            self.text.reserve(512);
            self.names.reserve(16);
        }
        self.text
            .push(if self.names.is_empty() { b'{' } else { b',' });
        self.names.push(name);
        write_value(&mut self.text, name);
        self.text.push(b':');
        true
    }

    fn finish(mut self) -> Vec<u8> {
        self.text.extend_from_slice(b"}\n");
        self.text
    }
}

fn write_value(text: &mut Vec<u8>, value: impl Serialize) {
    let before = text.len();
    if serde_json::to_writer(&mut *text, &value).is_err() {
        text.truncate(before);
        text.extend_from_slice(b"null");
    }
}

/// What fields are written to.
trait Put {
    fn put(&mut self, name: &'static str, value: impl Serialize);
}

impl Put for Line {
    fn put(&mut self, name: &'static str, value: impl Serialize) {
        Self::put(self, name, value);
    }
}

impl Put for SpanFields {
    /// What is recorded later stands.
    fn put(&mut self, name: &'static str, value: impl Serialize) {
        let mut text = Vec::with_capacity(48);
        write_value(&mut text, value);
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = text,
            None => self.0.push((name, text)),
        }
    }
}

struct Fields<'a, P>(&'a mut P);

impl<P: Put> Fields<'_, P> {
    fn put(&mut self, field: &Field, value: impl Serialize) {
        let name = field.name();
        if redact::is_secret_field(name) {
            self.0.put(name, "[redacted]");
        } else {
            self.0.put(name, value);
        }
    }
}

impl<P: Put> Visit for Fields<'_, P> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_with_its_request_id_and_without_secrets() {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber =
            Registry::default().with(JsonLines::new("test-service", move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let span =
                tracing::info_span!("request", request_id = "r-1", route = tracing::field::Empty);
            span.record("route", "/me");
            let _entered = span.enter();
            let inner = tracing::info_span!("inner", shade = "inner", status = 100);
            let _inner = inner.enter();
            tracing::info!(
                token = "canary",
                status = 200,
                part = 0.5,
                none = None::<u8>,
                "two\nlines"
            );
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["request_id"], "r-1");
        assert_eq!(line["route"], "/me");
        assert_eq!(line["status"], 200);
        assert_eq!(line["message"], "two\nlines");
        assert_eq!(line["token"], "[redacted]");
        assert_eq!(line["service"], "test-service");
        assert_eq!(line["shade"], "inner");
        assert_eq!(line["part"], 0.5);
        assert!(line.get("none").is_none());
        // Readers differ in which of two values of one name they take.
        assert_eq!(text.matches("\"status\"").count(), 1, "{text}");
    }
}
