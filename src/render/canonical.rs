//! Canonical bytes and their digests.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Compact JSON in ASCII. `serde_json`'s own mapping is sorted; other types must give their keys in order.
///
/// CloudFormation gives a template back with question marks for all that is not ASCII, which would differ from what was
/// sent for ever; `\u00fc` comes back as it went.
/// <https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/814>
pub fn canonical(value: &impl Serialize) -> String {
    let mut out = Vec::with_capacity(1024);
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, Ascii(CompactFormatter)));
    written.ok().and_then(|()| String::from_utf8(out).ok()).unwrap_or_default()
}

/// Writes text that is not ASCII as escapes of UTF-16.
struct Ascii(CompactFormatter);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + std::io::Write>(&mut self, out: &mut W, text: &str) -> std::io::Result<()> {
        if text.is_ascii() {
            return self.0.write_string_fragment(out, text);
        }
        for char in text.chars() {
            if char.is_ascii() {
                write!(out, "{char}")?;
                continue;
            }
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 over several parts, in hexadecimal. Each part is preceded by its length, so that no two
/// different lists of parts look alike.
pub fn sha256_of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex(&digest.finalize())
}

/// SHA-256 over a value's compact JSON, in hexadecimal, without holding that text: the plan of a thousand queues
/// makes twenty megabytes of it.
pub fn sha256_json(value: &impl Serialize) -> String {
    struct Hash(Sha256);
    impl std::io::Write for Hash {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut hash = std::io::BufWriter::with_capacity(64 * 1024, Hash(Sha256::new()));
    // Every value of a plan has a JSON form; were one to fail, the digest would differ from any other.
    let _ = serde_json::to_writer(&mut hash, value);
    let _ = std::io::Write::flush(&mut hash);
    hex(&hash.get_ref().0.clone().finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted() {
        assert_eq!(canonical(&json!({ "b": { "d": 1, "c": 2 }, "a": 0 })), r#"{"a":0,"b":{"c":2,"d":1}}"#);
    }

    #[test]
    fn all_of_it_is_ascii_and_means_the_same() {
        let value = json!({ "schlüssel": "München 🚀 \"a\"\n" });
        let text = canonical(&value);
        assert_eq!(text, r#"{"schl\u00fcssel":"M\u00fcnchen \ud83d\ude80 \"a\"\n"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn digests_are_sha_256_and_know_parts_apart() {
        assert_eq!(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let (ab, c, a, bc) = (b"ab", b"c", b"a", b"bc");
        assert_ne!(sha256_of([&ab[..], &c[..]]), sha256_of([&a[..], &bc[..]]));
    }
}
