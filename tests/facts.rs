//! `docs/aws-facts.md`: every fact has a source, a place in the code and a test, or says what is open.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{collections::BTreeSet, fs, path::Path};

/// The lines that a fact has, in this order.
const KEYS: [&str; 4] = ["fact", "source", "obeyed", "test"];

struct Fact {
    id: String,
    lines: Vec<(String, String)>,
}

fn facts() -> Vec<Fact> {
    let text = fs::read_to_string("docs/aws-facts.md").unwrap();
    let mut facts: Vec<Fact> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let id = title.split(' ').next().unwrap().to_owned();
            facts.push(Fact { id, lines: Vec::new() });
        } else if let Some(rest) = line.strip_prefix("- ") {
            let (key, value) = rest.split_once(':').unwrap_or((rest, ""));
            facts.last_mut().unwrap().lines.push((key.trim().to_owned(), value.trim().to_owned()));
        } else if let (Some(more), Some(fact)) = (line.strip_prefix("  "), facts.last_mut()) {
            let last = &mut fact.lines.last_mut().unwrap().1;
            *last = format!("{last} {}", more.trim());
        }
    }
    facts
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// `tests/scenarios.rs::name` or a script such as `tests/story/run`.
fn exists(test: &str) -> bool {
    match test.split_once("::") {
        None => Path::new(test).exists(),
        Some((file, name)) => fs::read_to_string(file).is_ok_and(|text| text.contains(name)),
    }
}

#[test]
fn every_fact_has_a_source_a_place_and_a_test() {
    let mut wrong = Vec::new();
    let mut open = Vec::new();
    for fact in facts() {
        if fact.lines.first().is_some_and(|(key, _)| key == "open") {
            open.push(fact.id);
            continue;
        }
        let keys: Vec<&str> = fact.lines.iter().map(|(key, _)| key.as_str()).collect();
        if keys != KEYS {
            wrong.push(format!("{}: has the lines {keys:?}, not {KEYS:?}", fact.id));
            continue;
        }
        for (key, value) in &fact.lines {
            let places = quoted(value);
            if value.is_empty() || (matches!(key.as_str(), "obeyed" | "test") && places.is_empty()) {
                wrong.push(format!("{}: `{key}` says nothing", fact.id));
            }
            if matches!(key.as_str(), "obeyed" | "test") {
                let missing = places.iter().filter(|place| !exists(place));
                wrong.extend(missing.map(|place| format!("{}: `{place}` does not exist", fact.id)));
            }
        }
    }
    println!("facts that are open: {}", open.join(" "));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn facts_stand_once() {
    let facts = facts();
    let ids: BTreeSet<&str> = facts.iter().map(|fact| fact.id.as_str()).collect();
    assert_eq!(ids.len(), facts.len());
    assert!(facts.len() >= 55);
}

/// `docs/mends.md`: for every fact that is obeyed, a line was taken out and a test went red.
#[test]
fn every_fact_was_tried_without_its_mend() {
    let text = fs::read_to_string("docs/mends.md").unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| id "))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let functions = functions();
    let mut wrong = Vec::new();
    for row in &rows {
        let [id, out, red] = row[..] else { panic!("{row:?}") };
        let place = quoted(out).first().is_some_and(|place| Path::new(place).exists());
        let tests = quoted(red);
        let named = named_function(out).is_none_or(|name| functions.contains(name));
        if !named {
            wrong.push(format!("{id}: nothing has the name that is given: {out}"));
        }
        if !place || tests.is_empty() || !tests.iter().all(|test| test.contains("::") && exists(test)) {
            wrong.push(format!("{id}: {out} {red}"));
        }
    }
    let tried: BTreeSet<&str> = rows.iter().map(|row| row[0]).collect();
    let open = |fact: &Fact| fact.lines.first().is_some_and(|(key, _)| key == "open");
    let facts = facts();
    let untried = facts.iter().filter(|fact| !open(fact) && !tried.contains(fact.id.as_str()));
    wrong.extend(untried.map(|fact| format!("{}: nobody tried it", fact.id)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The function that a row names at its end, in brackets: what was taken out, or made to do nothing.
fn named_function(row: &str) -> Option<&str> {
    let name = row.strip_suffix("`)")?.rsplit_once("(`")?.1;
    name.rsplit("::").next()
}

/// The names of all functions of the program and of the nodes' scripts.
fn functions() -> BTreeSet<String> {
    let (mut folders, mut names) =
        (vec![Path::new("src").to_owned(), Path::new("templates").to_owned()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for line in fs::read_to_string(&path).unwrap_or_default().lines() {
                let word =
                    |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
                names.extend(line.split_once("fn ").map(|(_, rest)| word(rest)));
                names.extend(line.split_once("() {").map(|(name, _)| name.trim().to_owned()));
            }
        }
    }
    names
}
