//! Canonical bytes and their digests.

use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Compact JSON. `serde_json`'s own mapping is sorted; other types must give their keys in order.
pub fn canonical(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
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
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted() {
        assert_eq!(canonical(&json!({ "b": { "d": 1, "c": 2 }, "a": 0 })), r#"{"a":0,"b":{"c":2,"d":1}}"#);
    }

    #[test]
    fn digests_are_sha_256_and_know_parts_apart() {
        assert_eq!(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let (ab, c, a, bc) = (b"ab", b"c", b"a", b"bc");
        assert_ne!(sha256_of([&ab[..], &c[..]]), sha256_of([&a[..], &bc[..]]));
    }
}
