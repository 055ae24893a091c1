//! Files that somebody names may be anything: a device, or a pipe that never ends.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The largest text that somebody writes for this program to read, besides cluster files and plans, in bytes.
pub const MOST_TEXT: u64 = 16 << 20;

/// Reads a file, or up to one byte more than `most`.
///
/// # Errors
/// When it cannot be read; [`io::ErrorKind::FileTooLarge`] when it holds more than `most` bytes, or has no end.
pub fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    all_of(File::open(path)?, most)
}

/// The same of what is open.
///
/// # Errors
/// As [`read_bounded`].
pub fn all_of(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let words = format!("it holds more than {} MiB, or has no end", most >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, words));
    }
    Ok(bytes)
}

/// The same of a file of text.
///
/// # Errors
/// As [`read_bounded`], and when it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let bytes = read_bounded(path, most)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error().to_string()))
}
