//! hpcctl for the nodes: what they run is what made their files.

use super::{ApplyError, Context};
use crate::{cloud::PutCondition, observe::keys, render::sha256};

/// The oldest C library of the operating systems that nodes may have: that of Amazon Linux 2023 and of Enterprise
/// Linux 9.
pub const OLDEST_GLIBC: (u32, u32) = (2, 34);

/// hpcctl, built for one kind of processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeProgram {
    /// `x86_64` or `aarch64`.
    pub machine: String,
    /// The file.
    pub body: Vec<u8>,
}

impl NodeProgram {
    /// For which processor an executable is (`e_machine` of its ELF header); `None`: it is none for Linux here.
    ///
    /// <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html>
    pub fn machine_of(body: &[u8]) -> Option<&'static str> {
        match (body.get(..6)?, body.get(18..20)?) {
            (b"\x7fELF\x02\x01", [62, 0]) => Some("x86_64"),
            (b"\x7fELF\x02\x01", [183, 0]) => Some("aarch64"),
            _ => None,
        }
    }

    /// The newest version of the C library that an executable asks for, such as `(2, 34)`; `None`: it asks for none.
    ///
    /// The names of the versions stand in the file as `GLIBC_2.34`.
    pub fn glibc_of(body: &[u8]) -> Option<(u32, u32)> {
        const MARK: &[u8] = b"GLIBC_";
        let mut newest = None;
        let mut rest = body;
        while let Some(at) = find(rest, MARK) {
            rest = &rest[at + MARK.len()..];
            let end = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').unwrap_or(rest.len());
            // A version's name ends with a nought byte; words in messages do not.
            if rest.get(end) == Some(&0) {
                newest = newest.max(version(&rest[..end]));
            }
        }
        newest
    }
}

fn version(digits: &[u8]) -> Option<(u32, u32)> {
    let mut parts = std::str::from_utf8(digits).ok()?.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(at) = haystack.get(from..)?.iter().position(|byte| *byte == first) {
        if haystack[from + at..].starts_with(needle) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Puts the programs where nodes fetch them, unless the very same are there.
pub async fn publish_programs(context: &Context<'_>) -> Result<(), ApplyError> {
    let (objects, bucket) = (&context.cloud.objects, context.bucket());
    for program in &context.programs {
        let (key, digest_key) = (keys::program(&program.machine), keys::program_digest(&program.machine));
        let digest = sha256(&program.body);
        let there = objects.get(&bucket, &digest_key).await?;
        if there.is_some_and(|(text, _)| text.trim_ascii() == digest.as_bytes()) {
            continue;
        }
        objects.put(&bucket, &key, program.body.clone(), PutCondition::Always).await?;
        // Last: who reads the digest finds the program that it belongs to.
        objects.put(&bucket, &digest_key, format!("{digest}\n").into_bytes(), PutCondition::Always).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_say_what_they_need() {
        let mut body = b"\x7fELF\x02\x01".to_vec();
        body.resize(18, 0);
        body.extend([183, 0]);
        assert_eq!(NodeProgram::machine_of(&body), Some("aarch64"));
        assert_eq!(NodeProgram::machine_of(b"#!/bin/sh"), None);
        body.extend(b"GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.17\0needs GLIBC_2.99 GLIBC_PRIVATE\0");
        assert_eq!(NodeProgram::glibc_of(&body), Some((2, 34)));
        assert_eq!(NodeProgram::glibc_of(b"static"), None);
    }
}
