//! Canonical bytes and their digests.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Compact JSON with sorted keys: `serde_json`'s mapping is sorted, a test holds it to that.
pub fn canonical(value: &Value) -> String {
    value.to_string()
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
