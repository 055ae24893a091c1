//! The dependency law: which room may use which. The `use` lines and paths of every file are read.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each room and the rooms that it may use.
const LAW: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("catalog", &[]),
    ("cloud", &["catalog"]),
    ("check", &["spec", "catalog"]),
    ("model", &["spec", "catalog"]),
    ("render", &["spec", "catalog", "model"]),
    ("observe", &["spec", "catalog", "model", "cloud"]),
    ("plan", &["spec", "catalog", "model", "render", "observe", "cloud"]),
    ("apply", &["spec", "model", "render", "observe", "plan", "cloud"]),
    ("node", &["spec", "model", "render", "observe", "cloud"]),
    ("operate", &["spec", "render", "observe", "apply", "node", "cloud"]),
    ("rehearsal", &["cloud"]),
    (
        "report",
        &[
            "rehearsal",
            "operate",
            "node",
            "spec",
            "catalog",
            "check",
            "model",
            "render",
            "observe",
            "plan",
            "apply",
            "cloud",
        ],
    ),
];

/// The rooms in which code may wait.
const ASYNC: &[&str] = &["observe", "apply", "cloud", "node", "operate", "rehearsal", "commands"];

#[test]
fn no_room_uses_a_room_that_it_may_not() {
    let mut broken = Vec::new();
    for (room, allowed) in LAW {
        for file in files(&Path::new("src").join(room)) {
            for used in rooms_used(&read(&file)) {
                if used != *room && !allowed.contains(&used.as_str()) {
                    broken.push(format!("{} uses `{used}`", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "the dependency law is broken:\n{}", broken.join("\n"));
}

#[test]
fn every_folder_is_a_room_of_the_law() {
    let known: BTreeSet<&str> = LAW.iter().map(|(room, _)| *room).chain(["commands"]).collect();
    for entry in fs::read_dir("src").unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(known.contains(name.as_str()), "src/{name} is no room of the law");
            assert!(entry.path().join("mod.rs").exists(), "src/{name} has no mod.rs");
        }
    }
}

#[test]
fn only_rooms_that_touch_the_world_wait() {
    for (room, _) in LAW.iter().filter(|(room, _)| !ASYNC.contains(room)) {
        for file in files(&Path::new("src").join(room)) {
            let text = code(&read(&file));
            assert!(!text.contains("async ") && !text.contains(".await"), "{} waits", file.display());
        }
    }
}

#[test]
fn sdk_types_stay_in_their_folder() {
    for file in files(Path::new("src")) {
        if !file.starts_with("src/cloud/aws") {
            assert!(!code(&read(&file)).contains("aws_sdk_"), "{} speaks to the SDK", file.display());
        }
    }
}

#[test]
fn time_and_environment_are_read_behind_ports() {
    // What a rehearsal works on is this machine itself.
    for (room, _) in LAW.iter().filter(|(room, _)| !["cloud", "rehearsal"].contains(room)) {
        for file in files(&Path::new("src").join(room)) {
            // The programs on nodes keep files; one file of the room touches them.
            if file.ends_with("node/home.rs") {
                continue;
            }
            let text = code(&read(&file));
            for word in ["std::env", "env::var", "SystemTime", "Instant::now", "std::fs", "fs::read"] {
                assert!(!text.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

/// The rooms that a file names: `crate::room` in `use` trees and in paths.
fn rooms_used(text: &str) -> BTreeSet<String> {
    let text = code(text);
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(tree) = rest.strip_prefix('{') {
            used.extend(heads(tree));
        } else {
            used.insert(word(rest));
        }
    }
    used.remove("");
    used
}

/// The first words of the branches of a `use` tree, up to its closing brace.
fn heads(tree: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut found) = (0, true, Vec::new());
    for (at, letter) in tree.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            letter if fresh && letter.is_alphabetic() => {
                found.push(word(&tree[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// The text without comments and without its test module.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or(text);
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_reader_of_use_lines_works() {
    let text =
        "use crate::{spec::Path, model::{Graph, StackKey},\n plan};\nfn a() { crate::cloud::x() } // crate::report";
    let used: Vec<String> = rooms_used(text).into_iter().collect();
    assert_eq!(used, ["cloud", "model", "plan", "spec"]);
}
