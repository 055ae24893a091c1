//! What is written from the program's own tables is current, and all readers of cluster files agree.
//! `UPDATE_GOLDEN=1` writes `schemas/cluster.schema.json` and `docs/codes.md`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use hpcctl::{
    check::{self, Facts, Severity},
    commands::{explain, schema},
    report::findings,
    spec::{self, Node, NodeKind, Problem, ProblemKind},
};
use serde_json::{Map, Value};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn is_current(file: &str, wanted: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{file} is not current; UPDATE_GOLDEN=1 writes it");
}

#[test]
fn the_schema_file_is_current() {
    let mut out = Vec::new();
    schema::schema(&mut out).unwrap();
    is_current("schemas/cluster.schema.json", &String::from_utf8(out).unwrap());
}

#[test]
fn the_schema_of_plans_is_current() {
    is_current("schemas/plan.schema.json", &hpcctl::plan::plan_schema_text());
}

#[test]
fn the_page_of_codes_is_current() {
    is_current("docs/codes.md", &findings::codes_page());
}

/// A tree as JSON; `None` when it holds what JSON cannot.
fn json(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Bool(flag) => Value::Bool(*flag),
        NodeKind::Int(number) => Value::from(*number),
        NodeKind::Float(number) => Value::from(*number),
        NodeKind::Str(text) => Value::from(text.as_str()),
        NodeKind::Seq(items) => Value::Array(items.iter().map(json).collect()),
        NodeKind::Map(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.clone(), json(&entry.value)));
            Value::Object(entries.collect::<Map<String, Value>>())
        }
    }
}

/// Problems of the text, of which a JSON schema knows nothing.
fn of_the_text(problem: &Problem) -> bool {
    matches!(problem.kind, ProblemKind::DuplicateKey { .. } | ProblemKind::UnknownAnchor)
}

#[test]
fn our_walker_and_another_validator_agree() {
    let validator = jsonschema::validator_for(spec::schema::cluster_schema()).unwrap();
    let mut held = 0;
    for path in yaml_files("tests/mistakes").into_iter().chain(yaml_files("examples/clusters")) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let document = spec::read("file.yaml", &text);
        let (Some(tree), true) = (&document.tree, document.cluster.is_some()) else { continue };
        let ours = document.problems.iter().all(of_the_text);
        let errors: Vec<String> = validator.iter_errors(&json(tree)).map(|error| error.to_string()).collect();
        assert_eq!(ours, errors.is_empty(), "{}: {:#?} {errors:#?}", path.display(), document.problems);
        held += 1;
    }
    assert!(held > 200, "{held}");
}

#[test]
fn serde_yaml_reads_every_example_alike() {
    for path in yaml_files("examples/clusters") {
        let text = fs::read_to_string(&path).unwrap();
        let document = spec::read("file.yaml", &text);
        let theirs: spec::Cluster = serde_yaml::from_str(&text).unwrap();
        assert_eq!(document.cluster.as_ref(), Some(&theirs), "{}", path.display());
    }
}

#[test]
fn every_example_is_without_errors() {
    for path in yaml_files("examples/clusters") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let document = spec::read(&name, &fs::read_to_string(&path).unwrap());
        let found = check::check(&document, &Facts::embedded());
        let checked = findings::Checked { file: &name, text: &document.text, findings: &found };
        assert_eq!(checked.count(Severity::Error), 0, "{}", findings::text(&checked, false));
    }
}

#[test]
fn explain_takes_codes_and_names_and_suggests() {
    let run = |text: &str| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = explain::explain(text, &mut out, &mut err).unwrap();
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    };
    let page = run("HPC1411").1;
    assert!(page.starts_with("HPC1411 lustre-capacity-step (an error)"), "{page}");
    for same in ["1411", "hpc1411", "lustre-capacity-step", " HPC1411 "] {
        assert_eq!(run(same).1, page);
    }
    assert_eq!(
        run("lustre-capacity-stp").2,
        "there is no rule `lustre-capacity-stp`; did you mean `lustre-capacity-step`?\n"
    );
    assert_eq!(run("HPC1419").2, "there is no rule `HPC1419`; did you mean `HPC1420`?\n");
    assert_eq!(run("nonsense").0, 1);
}

#[test]
fn a_thousand_queues_are_checked_in_no_time() {
    let mut text = String::from(
        "version: 1\nname: big\nregion: eu-west-1\nnetwork:\n  vpc_id: vpc-0a1b2c3d4e5f67890\n  \
         head_node_subnet: subnet-0aaaaaaaaaaaaaaa1\n  compute_subnets: [subnet-0bbbbbbbbbbbbbbb2]\n\
         head_node: { instance_type: c5.xlarge }\nqueues:\n",
    );
    for i in 0..1000 {
        text.push_str(&format!(
            "  - name: queue-{i}\n    default: {}\n    efa: true\n    placement_group: true\n    pools:\n      \
             - {{ name: od, instance_types: [c5n.18xlarge], max: 20 }}\n      \
             - {{ name: spot, purchase: spot, instance_types: [c5n.18xlarge, c5n.metal], max: 20 }}\n",
            i == 0
        ));
    }
    let start = std::time::Instant::now();
    let document = spec::read("big.yaml", &text);
    let read = start.elapsed();
    let found = check::check(&document, &Facts::embedded());
    let all = start.elapsed();
    eprintln!("read {read:?}, checked {:?}, {} bytes", all - read, text.len());
    assert!(found.is_empty());
    // Far above what it takes without optimisation on a busy machine; a quadratic rule would take minutes.
    assert!(all.as_secs() < 5, "{all:?}");
}

/// Who brings an image, or a script that may install the driver, is not told that there is none. AW-28.
#[test]
fn a_driver_of_ones_own_is_no_finding() {
    let text = fs::read_to_string(root().join("tests/mistakes/gpu-without-driver.yaml")).unwrap();
    let found = |text: &str| {
        let document = spec::read("gpu.yaml", text);
        let facts = Facts { catalog: Some(hpcctl::catalog::InstanceCatalog::embedded()), ..Facts::default() };
        check::check(&document, &facts).iter().map(|finding| finding.rule.code).collect::<Vec<_>>()
    };
    assert_eq!(found(&text), [1760]);
    let script = "custom_actions: { on_configured: [ { script: s3://tools/driver.sh } ] }";
    for own in ["ami: ami-0aaaabbbbccccdddd", script, &script.replace("on_configured", "on_start")] {
        let text = text.replace("    default: true\n", &format!("    default: true\n    {own}\n"));
        assert!(!found(&text).contains(&1760), "{own}");
    }
    let image = "image: { os: ubuntu2404, ami: ami-0aaaabbbbccccdddd }";
    assert!(!found(&format!("{text}\n{image}\n")).contains(&1760));
}
