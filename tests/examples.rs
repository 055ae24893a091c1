//! The example files and the snippets of `docs/cluster-file.md`: each is read without a problem, together
//! they show every supported key, and every YAML reader understands them alike.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use hpcctl::spec::{self, Node, NodeKind, schema::cluster_schema};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// Name and text of every YAML file in a directory of the project.
fn files(directory: &str) -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = format!("{directory}/{}", path.file_name().unwrap().display());
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn examples() -> Vec<(String, String)> {
    [files("examples/clusters"), files("examples/changes")].concat()
}

#[test]
fn every_example_is_read_without_a_problem() {
    let all = examples();
    assert!(all.len() >= 13, "examples are missing: {}", all.len());
    for (name, text) in all {
        let document = spec::read(&name, &text);
        assert!(document.problems.is_empty(), "{name}: {:#?}", document.problems);
        assert!(document.cluster.is_some(), "{name}");
    }
}

#[test]
fn every_example_fits_the_json_schema() {
    let validator = jsonschema::validator_for(cluster_schema()).unwrap();
    for (name, text) in examples() {
        let value: Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn serde_yaml_reads_every_example_alike() {
    for (name, text) in examples() {
        let ours = spec::read(&name, &text).cluster.unwrap();
        let theirs: spec::Cluster = serde_yaml::from_str(&text).unwrap();
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn every_example_begins_with_its_schema_and_is_named_after_its_file() {
    for (name, text) in examples() {
        let first = "# yaml-language-server: $schema=../../schemas/cluster.schema.json\n#\n# ";
        assert!(text.starts_with(first), "{name}");
        let stem = name.rsplit('/').next().unwrap().trim_end_matches(".yaml");
        assert_eq!(spec::read(&name, &text).cluster.unwrap().name.as_str(), stem);
    }
}

#[test]
fn addresses_are_from_the_documentation_ranges() {
    for (name, text) in examples() {
        for word in text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '/')) {
            let octets = word.split('/').next().unwrap_or(word).split('.').filter(|part| !part.is_empty()).count();
            if octets == 4 {
                let known = ["203.0.113.0/24", "198.51.100.0/24"].contains(&word) || word.starts_with("10.");
                assert!(known, "{name}: {word}");
            }
        }
    }
}

#[test]
fn the_examples_together_show_every_supported_key() {
    let mut shown = BTreeSet::new();
    for (name, text) in examples() {
        collect(spec::read(&name, &text).tree.as_ref().unwrap(), cluster_schema(), "Cluster", &mut shown);
    }
    assert!(shown.len() > 150 && shown.contains("Pool.max"), "{shown:?}");
    let missing: Vec<_> = supported_keys().difference(&shown).cloned().collect();
    assert!(missing.is_empty(), "keys that no example shows: {missing:#?}");
}

/// Every key as `Type.key`, without those that are not supported yet and what hangs below them alone.
fn supported_keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut open = vec![("Cluster".to_owned(), cluster_schema())];
    while let Some((owner, schema)) = open.pop() {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let about = property["description"].as_str().unwrap_or_default();
            if about.contains("not supported yet") || !keys.insert(format!("{owner}.{key}")) {
                continue;
            }
            open.push(resolve(property));
        }
    }
    keys
}

/// The type behind a property or behind the elements of its list, with its name.
fn resolve(property: &'static Value) -> (String, &'static Value) {
    let property = property.get("items").unwrap_or(property);
    match property["$ref"].as_str() {
        Some(reference) => {
            let name = reference.trim_start_matches("#/$defs/");
            (name.to_owned(), &cluster_schema()["$defs"][name])
        }
        None => (String::new(), property),
    }
}

fn collect(node: &Node, schema: &'static Value, owner: &str, shown: &mut BTreeSet<String>) {
    match &node.kind {
        NodeKind::Seq(items) => items.iter().for_each(|item| collect(item, schema, owner, shown)),
        NodeKind::Map(entries) => {
            for entry in entries {
                let Some(property) = schema["properties"].get(&entry.key) else { continue };
                shown.insert(format!("{owner}.{}", entry.key));
                let (name, schema) = resolve(property);
                collect(&entry.value, schema, &name, shown);
            }
        }
        _ => {}
    }
}

/// What a snippet leaves out of a whole cluster file.
const REST: [(&str, &str); 6] = [
    ("version", "version: 1"),
    ("name", "name: snippet"),
    ("region", "region: eu-west-1"),
    ("network", "network: { create: {} }"),
    ("head_node", "head_node: { instance_type: c5.xlarge }"),
    ("queues", "queues: [{ name: main, pools: [{ name: od, instance_types: [c5.xlarge], max: 2 }] }]"),
];

/// The fenced `yaml` blocks of a page with the lines at which they begin. Other YAML is fenced as `yml`.
fn snippets(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in page.lines().enumerate() {
        match &mut open {
            None if line == "```yaml" => open = Some((index + 2, String::new())),
            Some(_) if line == "```" => found.extend(open.take()),
            Some((_, text)) => *text += &format!("{line}\n"),
            None => {}
        }
    }
    found
}

#[test]
fn every_snippet_of_the_documentation_is_read_without_a_problem() {
    for page in ["docs/cluster-file.md", "README.md"] {
        let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        let snippets = snippets(&text);
        assert!(!snippets.is_empty(), "{page}");
        for (line, mut snippet) in snippets {
            for (key, rest) in REST {
                if !snippet.lines().any(|line| line.starts_with(&format!("{key}:"))) {
                    snippet += &format!("{rest}\n");
                }
            }
            let document = spec::read(page, &snippet);
            assert!(document.problems.is_empty(), "{page}:{line}: {:#?}\n{snippet}", document.problems);
        }
    }
}
