use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::OURS;
use super::escape::{Escaped, Style};
use super::throttle::{Admitted, Throttle};

/// Makes a line of every event, with the fields of the spans that it happened in, as long as there
/// are not too many for the same reason.
#[derive(Debug)]
pub(super) struct Lines<W> {
    look: Look,
    clock: fn() -> SystemTime,
    throttle: Mutex<Throttle>,
    write: W,
}

/// How lines look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Look {
    /// For people.
    Plain,
    /// For people with a terminal.
    Color,
    /// One JSON object a line.
    Json,
}

impl<W: Fn(&[u8])> Lines<W> {
    /// Lines that look like `look`, told the time by `clock`, each given whole to `write`.
    pub(super) fn new(look: Look, clock: fn() -> SystemTime, write: W) -> Self {
        Self { look, clock, throttle: Mutex::default(), write }
    }

    /// Whether there may be a line of this event, and what its time is then. Both are one step:
    /// whoever counts lines by their times shall find no more in a second than there may be.
    fn admit(&self, event: &Event<'_>) -> Option<(Admitted, SystemTime)> {
        let mut subject = Subject::default();
        event.record(&mut subject);
        let line = event.metadata();
        if line.target().starts_with(HOUSEHOLD) {
            return Some((Admitted { suppressed: 0 }, (self.clock)()));
        }
        // What others log may hold anything, so it is their name that counts.
        let reason = match line.target().starts_with(OURS) {
            true => subject.reason.or(subject.message),
            false => subject.logged_target,
        };
        let reason = reason.as_deref().unwrap_or_else(|| line.target());
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        Some((throttle.admit(reason, line, now)?, now))
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::new(self.look);
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some((admitted, now)) = self.admit(event) else {
            return;
        };
        let mut fields = Fields::new(self.look);
        event.record(&mut fields);
        if 0 < admitted.suppressed {
            fields.values.push(("suppressed", admitted.suppressed.to_string()));
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.add_missing(outer);
            }
        }
        let metadata = event.metadata();
        let target = fields.logged_target.take();
        let target = target.as_deref().unwrap_or_else(|| metadata.target());
        // Only our own words are messages; what others say may quote a peer.
        let now = timestamp(now);
        if self.look == Look::Json && !target.starts_with(OURS) {
            fields.quote_message();
        }
        let line = match self.look {
            Look::Json => json(&now, *metadata.level(), target, &fields),
            Look::Plain | Look::Color => self.plain(&now, *metadata.level(), target, &fields),
        };
        (self.write)(line.as_bytes());
    }
}

impl<W> Lines<W> {
    fn plain(&self, now: &str, level: Level, target: &str, fields: &Fields) -> String {
        let color = |code: &'static str| if self.look == Look::Color { code } else { "" };
        let (word, hue) = match level {
            Level::ERROR => ("ERROR", RED),
            Level::WARN => ("WARN ", YELLOW),
            Level::INFO => ("INFO ", GREEN),
            Level::DEBUG => ("DEBUG", BLUE),
            Level::TRACE => ("TRACE", DIM),
        };
        let (dim, hue, end) = (color(DIM), color(hue), color(END));
        let mut line = String::with_capacity(256);
        let _ = write!(line, "{dim}{now}{end} {hue}{word}{end} ");
        if target.starts_with(OURS) {
            line.push_str(&fields.message);
        } else {
            // What others log may be anything, so one sees where it begins and ends.
            Escaped::new(&mut line, Style::Bare, VALUE_BYTES_MAX).value(format_args!("{target}"));
            let _ = write!(line, ": \"{}\"", fields.message);
        }
        for (name, value) in &fields.values {
            if LINE_BYTES_MAX < line.len() + name.len() + value.len() + SPARE {
                line.push_str(" ...");
                break;
            }
            let _ = write!(line, " {dim}{name}={end}{value}");
        }
        line.push('\n');
        line
    }
}

fn json(now: &str, level: Level, target: &str, fields: &Fields) -> String {
    let mut line = String::with_capacity(512);
    let _ = write!(line, "{{\"timestamp\":\"{now}\",\"level\":\"{level}\",\"target\":\"");
    Escaped::new(&mut line, Style::Json, VALUE_BYTES_MAX).value(format_args!("{target}"));
    let _ = write!(line, "\",\"message\":\"{}\"", fields.message);
    for (name, value) in &fields.values {
        if LINE_BYTES_MAX < line.len() + name.len() + value.len() + SPARE {
            line.push_str(",\"cut\":true");
            break;
        }
        let _ = write!(line, ",\"{name}\":{value}");
    }
    line.push_str("}\n");
    line
}

/// What an event is about: what is counted to keep lines from being too many.
#[derive(Debug, Default)]
struct Subject {
    reason: Option<String>,
    message: Option<String>,
    logged_target: Option<String>,
}

impl Subject {
    fn note(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let place = match field.name() {
            "reason" => &mut self.reason,
            "message" => &mut self.message,
            "log.target" => &mut self.logged_target,
            _ => return,
        };
        let mut text = String::new();
        Escaped::new(&mut text, Style::Bare, SUBJECT_BYTES_MAX).value(value);
        *place = Some(text);
    }
}

impl Visit for Subject {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.note(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, format_args!("{value}"));
    }
}

/// The fields of an event or a span, each escaped and cut already.
#[derive(Debug)]
struct Fields {
    look: Look,
    message: String,
    /// The true target of an event that came from the `log` crate.
    logged_target: Option<String>,
    values: Vec<(&'static str, String)>,
}

impl Fields {
    fn new(look: Look) -> Self {
        Self { look, message: String::new(), logged_target: None, values: Vec::new() }
    }

    /// Makes a field of what was the message.
    fn quote_message(&mut self) {
        let said = std::mem::replace(&mut self.message, "a library said".to_owned());
        self.values.insert(0, ("said", format!("\"{said}\"")));
    }

    /// Adds what an outer span knows and no inner one has said.
    fn add_missing(&mut self, outer: &Self) {
        for (name, value) in &outer.values {
            if self.values.len() < FIELDS_MAX && !self.values.iter().any(|(it, _)| it == name) {
                self.values.push((name, value.clone()));
            }
        }
    }

    fn text(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let style = match self.look {
            Look::Json => Style::Json,
            Look::Plain | Look::Color => Style::Quoted,
        };
        let mut text = String::new();
        match field.name() {
            "message" => {
                Escaped::new(&mut text, style, VALUE_BYTES_MAX).value(value);
                self.message = text;
            }
            "log.target" => {
                Escaped::new(&mut text, Style::Bare, VALUE_BYTES_MAX).value(value);
                self.logged_target = Some(text);
            }
            name if name.starts_with("log.") => (), // Where in somebody else's code it was.
            _ => {
                let bare = self.look != Look::Json;
                text.push('"');
                Escaped::new(&mut text, style, VALUE_BYTES_MAX).value(value);
                if bare && text.len() != 1 && text[1..].bytes().all(is_plain) {
                    text.remove(0);
                } else {
                    text.push('"');
                }
                self.set(field, text);
            }
        }
    }

    /// Sets a value that is written as it is.
    fn set(&mut self, field: &Field, value: String) {
        // The words that begin a line are ours alone.
        let name = match field.name() {
            "timestamp" => "field.timestamp",
            "level" => "field.level",
            "target" => "field.target",
            name if name.starts_with("log.") => return,
            name => name,
        };
        if let Some((_, old)) = self.values.iter_mut().find(|(it, _)| *it == name) {
            *old = value;
        } else if self.values.len() < FIELDS_MAX {
            self.values.push((name, value));
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.text(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value.to_string());
    }
}

/// RFC 3339, in UTC, to the millisecond.
fn timestamp(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    let millisecond = at.millisecond();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// What needs no quotes in a plain line.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._:/@+*[]%,".contains(&byte)
}

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const GREEN: &str = "\x1b[32m";
const BLUE: &str = "\x1b[34m";
const DIM: &str = "\x1b[2m";
const END: &str = "\x1b[0m";

/// A domain name at its longest; whatever is longer is not worth its place.
const VALUE_BYTES_MAX: usize = 256;

/// Where lines come from that no stranger causes: about files, records and an end of our own. Each is
/// for the operator to read, like one of ten mistakes in a configuration.
const HOUSEHOLD: &str = "ligase::app";

/// Longer than any reason or message of ours.
const SUBJECT_BYTES_MAX: usize = 128;

/// What a pipe takes without mixing it with another writer's line (PIPE_BUF on Linux).
const LINE_BYTES_MAX: usize = 4_096;

/// Room for what stands around a field and at the end of a line.
const SPARE: usize = 32;

/// More than any event of ours has.
const FIELDS_MAX: usize = 32;

#[cfg(test)]
mod tests;
