//! hpcctl itself, as nodes run it.
#![allow(clippy::unwrap_used, missing_docs)]

use hpcctl::apply::{NodeProgram, OLDEST_GLIBC};

#[test]
fn this_build_runs_on_the_oldest_supported_system() {
    let body = std::fs::read(env!("CARGO_BIN_EXE_hpcctl")).unwrap();
    assert_eq!(NodeProgram::machine_of(&body), Some(std::env::consts::ARCH));
    let needs = NodeProgram::glibc_of(&body);
    assert!(needs <= Some(OLDEST_GLIBC), "needs glibc {needs:?}, the oldest system has {OLDEST_GLIBC:?}");
}
