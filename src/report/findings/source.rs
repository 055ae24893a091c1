//! A file's text as miette wants it, with its lines found once.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

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
