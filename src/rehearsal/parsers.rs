//! What a rehearsal's metadata service is sent. `tests/fuzz.rs` feeds it.

use super::http;

/// Each kind of text, and what reads it and says whether it made sense.
pub const PARSERS: &[(&str, fn(&[u8]) -> bool)] =
    &[("metadata-request", |text| http::parse(&String::from_utf8_lossy(text)).is_some())];
