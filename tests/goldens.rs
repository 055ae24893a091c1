//! Every example, to the letter: findings, templates, node files, and the first plan as text, JSON and markdown.
//!
//! `UPDATE_GOLDEN=1 cargo test --test goldens` writes `tests/golden/` anew; read the diff before you commit it.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    catalog::ResourceCatalog,
    check::{self, Facts},
    observe::Live,
    plan::{self, Content, Desired},
    report::{
        findings::{self, Checked},
        paint::Paint,
        plan_json::plan_json,
        plan_markdown::plan_markdown,
        plan_text::{PlanView, plan_text},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use support::build;

#[test]
fn every_example_is_as_it_was() {
    let mut wrong = Vec::new();
    for file in examples() {
        let case = file.file_stem().unwrap().to_str().unwrap().to_owned();
        wrong.extend(compare(&Path::new("tests/golden").join(&case), &everything(&file)));
    }
    assert!(wrong.is_empty(), "{} files differ (UPDATE_GOLDEN=1 writes them anew):\n{}", wrong.len(), wrong.join("\n"));
}

/// All that an example is turned into, by path below its golden folder.
fn everything(file: &Path) -> BTreeMap<PathBuf, String> {
    let name = file.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let built = build(name, &text);
    let found = check::check(&built.document, &Facts::embedded());
    let mut out = BTreeMap::new();
    out.insert(
        "findings.txt".into(),
        findings::text(&Checked { file: name, text: &built.document.text, findings: &found }, false),
    );
    for (key, template) in &built.rendered.templates {
        out.insert(Path::new("templates").join(format!("{key}.yaml")), template.to_yaml());
    }
    for (path, file) in &built.rendered.files {
        out.insert(Path::new("nodes").join(path), file.content.clone());
    }
    let desired = Desired { document: &built.document, graph: &built.graph, rendered: &built.rendered };
    let mut plan = plan::plan(&desired, &Live::default(), &ResourceCatalog::embedded()).unwrap();
    let view = PlanView { paint: Paint::PLAIN, verbose: false };
    out.insert("plan.txt".into(), plan_text(&plan, view));
    out.insert("plan.md".into(), plan_markdown(&plan, &[]));
    // Templates and node files have goldens of their own.
    plan.content = Content { rendered_digest: plan.content.rendered_digest.clone(), ..Content::default() };
    plan.source.text = String::new();
    out.insert("plan.json".into(), plan_json(&plan));
    out
}

/// Holds files against a folder, or writes them into it; gives what differs.
fn compare(folder: &Path, wanted: &BTreeMap<PathBuf, String>) -> Vec<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = fs::remove_dir_all(folder);
        for (path, text) in wanted {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (path, text) in wanted {
        let path = folder.join(path);
        match fs::read_to_string(&path) {
            Ok(golden) if golden == *text => {}
            Ok(_) => wrong.push(format!("{} differs", path.display())),
            Err(_) => wrong.push(format!("{} is new", path.display())),
        }
    }
    let known: BTreeSet<PathBuf> = wanted.keys().map(|path| folder.join(path)).collect();
    wrong.extend(
        files(folder)
            .into_iter()
            .filter(|path| !known.contains(path))
            .map(|path| format!("{} is no more", path.display())),
    );
    wrong
}

fn examples() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("examples/clusters")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    found.sort();
    assert!(found.len() >= 10);
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
