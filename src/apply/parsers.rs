//! What `apply` reads that others have written. `tests/fuzz.rs` feeds it.

use super::task_report;

/// A kind of text, and what reads it and says whether it made sense.
pub type Parser = (&'static str, fn(&[u8]) -> bool);

/// All of them here.
pub const PARSERS: &[Parser] =
    &[("task-report", |text| !task_report::parse(&String::from_utf8_lossy(text)).is_empty())];
