//! The example files: each is read without a problem.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{fs, path::PathBuf};

fn files(directory: &str) -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_example_is_read_without_a_problem() {
    let all = [files("examples/clusters"), files("examples/changes")].concat();
    assert!(all.len() >= 12, "examples are missing: {all:?}");
    for file in all {
        let text = fs::read_to_string(&file).unwrap();
        let document = hpcctl::spec::read(&file.display().to_string(), &text);
        assert!(document.problems.is_empty(), "{}: {:#?}", file.display(), document.problems);
        assert!(document.cluster.is_some(), "{}", file.display());
    }
}
