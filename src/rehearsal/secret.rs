//! Secrets: made once from random bytes, the same for all machines, and forgotten with the rehearsal's directory.

use super::error::{RehearsalError, failed};
use sha2::{Digest, Sha256};
use std::{fs::File, io::Read, path::Path};

/// So many random bytes as hexadecimal digits.
pub(super) fn random(bytes: usize) -> Result<String, RehearsalError> {
    let path = Path::new("/dev/urandom");
    let mut buffer = vec![0; bytes];
    File::open(path).and_then(|mut file| file.read_exact(&mut buffer)).map_err(|error| failed(path, &error))?;
    Ok(hex(&buffer))
}

/// The password or key with this name: 64 hexadecimal digits that nobody knows who does not know the seed.
pub(super) fn of(seed: &str, name: &str) -> String {
    let inner = Sha256::digest(format!("{seed}\n{name}"));
    hex(&Sha256::digest([seed.as_bytes(), &inner].concat()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
