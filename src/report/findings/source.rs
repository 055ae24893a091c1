//! A file's text as miette wants it, with its lines found once.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// A line with more bytes than this is shown in part: generators write whole files on one line.
const WIDE: usize = 2000;
/// Bytes that are shown of a wide line on each side of what a finding is about.
const BESIDE: usize = 60;

/// A named text whose lines are known, so that each finding costs only the lines that it shows.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    name: &'a str,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { name, text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// Whether the line with this byte is too long to be shown whole.
    pub(super) fn is_wide(&self, byte: usize) -> bool {
        let line = self.line_of(byte);
        self.end_of(line) - self.starts[line] > WIDE
    }

    /// The part of a wide line around a span, which is cut there itself, too: its first and its last byte.
    fn window(&self, start: usize, end: usize) -> (usize, usize) {
        let line = self.line_of(start);
        let from = self.starts[line].max(self.text.floor_char_boundary(start.saturating_sub(BESIDE)));
        let to = self.end_of(line).min(self.text.floor_char_boundary(end.saturating_add(BESIDE)));
        (from, to)
    }

    /// A span as it is marked: in a wide line no longer than what is shown of it.
    pub(super) fn marked(&self, start: usize, end: usize) -> (usize, usize) {
        if !self.is_wide(start) {
            return (start, end);
        }
        (start, self.text.floor_char_boundary(end.min(start + BESIDE)).max(start))
    }

    fn line_of(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).saturating_sub(1)
    }

    fn end_of(&self, line: usize) -> usize {
        self.starts.get(line + 1).copied().unwrap_or(self.text.len())
    }
}

impl SourceCode for Lines<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len();
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let at = self.line_of(span.offset());
        let first = if before == 0 { at } else { at.saturating_sub(before) };
        let last = (self.line_of(end.max(span.offset() + 1) - 1).max(at) + after).min(self.starts.len() - 1);
        if (before > 0 || after > 0) && self.is_wide(span.offset()) {
            let (start, stop) = self.window(span.offset(), end);
            return Ok(Box::new(MietteSpanContents::new_named(
                self.name.to_owned(),
                &self.text.as_bytes()[start..stop],
                (start, stop - start).into(),
                at,
                0,
                1,
            )));
        }
        // Without context, miette asks where exactly the span begins.
        let start = if before == 0 && after == 0 { span.offset() } else { self.starts[first] };
        let stop = if before == 0 && after == 0 { end } else { self.end_of(last) };
        let column = self.text[self.starts[first]..start].chars().count();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_owned(),
            &self.text.as_bytes()[start..stop],
            (start, stop - start).into(),
            first,
            column,
            last - first + 1,
        )))
    }
}
