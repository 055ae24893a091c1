//! Where words go: data to stdout, progress and errors to stderr.

use super::cli::{Color, Global};
use crate::{
    apply::{Event, Listener},
    cloud::Timestamp,
    report::{
        errors::{Failure, exit},
        events,
        paint::Paint,
    },
};
use std::io::{ErrorKind, IsTerminal, Write};

/// The two streams and how to write to them.
pub struct Output {
    /// Colour on stdout.
    pub paint: Paint,
    /// Colour on stderr.
    pub paint_err: Paint,
    /// Say only what was asked for.
    pub quiet: bool,
    /// Say everything.
    pub verbose: bool,
    /// Whether nobody reads on: the reader went away, or the output cannot be written.
    pub closed: bool,
    /// Why data did not reach stdout; a reader that went away is no failure.
    unwritten: Option<String>,
}

impl Output {
    /// What the global options ask for.
    pub fn new(global: &Global) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        Self {
            paint: Paint { color: color(std::io::stdout().is_terminal()) },
            paint_err: Paint { color: color(std::io::stderr().is_terminal()) },
            quiet: global.quiet,
            verbose: global.verbose,
            closed: false,
            unwritten: None,
        }
    }

    /// Data, to stdout.
    pub fn data(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Bytes as they are, to stdout. A reader that went away (`hpcctl plan | head`) has seen what it wanted; anything
    /// else is told at the end, since work that was begun goes on.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let mut stdout = std::io::stdout().lock();
        if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            self.closed = true;
            if error.kind() != ErrorKind::BrokenPipe {
                self.unwritten.get_or_insert_with(|| error.to_string());
            }
        }
    }

    /// That data did not reach stdout.
    pub fn lost(&self) -> Option<Failure> {
        let error = self.unwritten.as_ref()?;
        let message = format!("failed to write the output: {error}");
        let remedy =
            "what the command did in the cloud is done; see `hpcctl status FILE`, and mend where its output goes";
        Some(Failure::new("HPC2005", message, remedy, exit::ERROR))
    }

    /// A word on the way, to stderr: in one write, for programs that share a log.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.warn(&format!("{text}\n"));
        }
    }

    /// Text for stderr, whether quiet or not.
    pub fn warn(&self, text: &str) {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// A failure, to stderr.
    pub fn failure(&self, failure: &Failure) {
        self.warn(&failure.text(self.paint_err));
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressFormat {
    /// Lines for people
    Text,
    /// A JSON object a line
    Json,
}

/// Shows events on stderr as they happen.
pub struct Progress {
    format: ProgressFormat,
    paint: Paint,
    quiet: bool,
    verbose: bool,
}

impl Progress {
    /// Progress in this format.
    pub fn new(output: &Output, format: ProgressFormat) -> Self {
        Self { format, paint: output.paint_err, quiet: output.quiet, verbose: output.verbose }
    }
}

impl Listener for Progress {
    fn event(&self, at: Timestamp, event: &Event) {
        let dull = matches!(event, Event::Resource { status, .. } if status.ends_with("_IN_PROGRESS"));
        let line = match self.format {
            ProgressFormat::Json => Some(events::event_json(at, event)),
            ProgressFormat::Text if self.quiet || (dull && !self.verbose) => None,
            ProgressFormat::Text => events::event_text(at, event, self.paint),
        };
        if let Some(line) = line {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }
}
