//! What `apply` reads that others have written. `tests/fuzz.rs` feeds it.

use super::task_report;

/// Each kind of text, and what reads it and says whether it made sense.
pub const PARSERS: &[(&str, fn(&[u8]) -> bool)] =
    &[("task-report", |text| !task_report::parse(&String::from_utf8_lossy(text)).is_empty())];
