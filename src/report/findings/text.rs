//! Findings for people at a terminal.

use super::{Checked, FOR_PEOPLE, fill, source::Lines};
use crate::check::{Finding, SECRET_IN_CLEAR, Severity};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use std::{borrow::Cow, fmt};

/// All findings of a file, each with the lines it is about, and a closing line with the counts.
///
/// Readable without colour: `color` only adds to it.
pub fn text(checked: &Checked, color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100).with_context_lines(1);
    let covered = covered(checked);
    let lines = Lines::new(checked.file, &covered);
    let mut out = String::new();
    let (shown, more) = checked.shown(FOR_PEOPLE);
    for finding in shown {
        // Writing to a string cannot fail.
        let _ = handler.render_report(&mut out, &View { finding, lines: &lines });
        out.push('\n');
    }
    let out: String = out.split_inclusive('\n').map(trim_line).collect();
    let more = if more == 0 { String::new() } else { format!("and {more} more\n\n") };
    format!("{out}{more}{}\n", summary(checked))
}

/// The text with a star in the place of each byte of a secret: what is printed ends up in logs of pipelines.
fn covered<'a>(checked: &Checked<'a>) -> Cow<'a, str> {
    let secrets = checked.findings.iter().filter(|finding| finding.rule.code == SECRET_IN_CLEAR.code);
    let mut text = Cow::Borrowed(checked.text);
    for finding in secrets {
        let (start, end) = (finding.span.start, finding.span.end);
        if let Some(secret) = checked.text.get(start..end) {
            let stars: String = secret.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
            text.to_mut().replace_range(start..end, &stars);
        }
    }
    text
}

/// miette pads some lines with spaces.
fn trim_line(line: &str) -> String {
    format!("{}\n", line.trim_end())
}

/// `cluster.yaml: 5 errors, 1 warning`.
pub fn summary(checked: &Checked) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
    let counts = match (errors, warnings) {
        (0, 0) => "no errors".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    format!("{}: {counts}", checked.file)
}

/// A finding as miette wants it.
#[derive(Debug)]
struct View<'a> {
    finding: &'a Finding,
    lines: &'a Lines<'a>,
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&fill::message(self.finding))
    }
}

impl std::error::Error for View<'_> {}

impl View<'_> {
    fn has_place(&self) -> bool {
        self.finding.span.end > self.finding.span.start
    }
}

impl Diagnostic for View<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.finding.rule.id()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.rule.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(fill::remedy(self.finding)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.lines).filter(|_| self.has_place()).map(|lines| lines as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.finding.span;
        let (start, end) = self.lines.marked(span.start, span.end);
        let main = LabeledSpan::new_primary_with_span(None, (start, end - start));
        let related = self.finding.related.iter().filter(|related| related.span.end > related.span.start);
        // What lies far away in one long line cannot be shown together.
        let wide = |at: usize| self.lines.is_wide(at);
        let related = related.filter(move |related| !wide(span.start) && !wide(related.span.start));
        let related = related.map(|related| {
            let length = related.span.end - related.span.start;
            LabeledSpan::new(Some(related.label.to_owned()), related.span.start, length)
        });
        Some(Box::new(std::iter::once(main).chain(related)))
    }
}
