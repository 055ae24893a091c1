//! What a rehearsal's metadata service is sent. `tests/fuzz.rs` feeds it.

use super::http;

/// A kind of text, and what reads it and says whether it made sense.
pub type Parser = (&'static str, fn(&[u8]) -> bool);

/// All of them here.
pub const PARSERS: &[Parser] = &[("metadata-request", |text| http::parse(&String::from_utf8_lossy(text)).is_some())];
