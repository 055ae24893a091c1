//! Files that cannot even be read as text.

use super::{
    finding::Finding,
    rules::{Rule, structure},
    sheet::args,
};
use crate::spec::{Path, Span};

/// The most bytes that a cluster file may hold: 16 MiB.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The file is not there, or may not be read; `reason` is the system's word for it.
pub fn unreadable(file: &str, reason: &str) -> Finding {
    whole_file(&structure::UNREADABLE, args! { file: file, reason: reason })
}

/// The file holds more than [`MAX_BYTES`].
pub fn too_large(file: &str) -> Finding {
    whole_file(&structure::FILE_TOO_LARGE, args! { file: file, max: MAX_BYTES / 1024 / 1024 })
}

/// The encoding of a text that its first bytes tell, when it is another one than UTF-8: by a byte order mark, or by the
/// zeros that UTF-16 has in every other byte of Latin text.
pub fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [one, 0, other, 0, ..] | [0, one, 0, other, ..] if *one != 0 && *other != 0 => Some("UTF-16"),
        _ => None,
    }
}

/// The text is in this encoding.
pub fn not_utf8(encoding: &str) -> Finding {
    whole_file(&structure::NOT_UTF8, args! { encoding: encoding })
}

/// The byte at this offset, on this line, fits no character.
pub fn no_character(byte: usize, line: usize) -> Finding {
    let mut finding = whole_file(&structure::NOT_UTF8, args! { byte: byte });
    finding.span.line = line;
    finding
}

fn whole_file(rule: &'static Rule, args: Vec<(&'static str, String)>) -> Finding {
    let span = Span { line: 1, column: 1, ..Span::default() };
    Finding { rule, at: Path::root(), span, related: Vec::new(), args }
}
