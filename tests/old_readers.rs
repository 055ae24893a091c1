//! Rendered YAML means the same to readers of YAML 1.1, and templates have no parameter that nothing uses (AW-55).

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use support::*;

fn examples() -> Vec<Built> {
    let files = fs::read_dir("examples/clusters").unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| build(&path.display().to_string(), &fs::read_to_string(&path).unwrap())).collect()
}

/// A plain word at the end of a line.
fn plain(line: &str) -> Option<&str> {
    let word = line.rsplit_once(": ").map_or_else(|| line.trim_start().trim_start_matches("- "), |(_, word)| word);
    (!word.starts_with(['\'', '"', '|', '>'])).then_some(word)
}

#[test]
fn readers_of_yaml_1_1_read_what_is_meant() {
    let mut words = 0;
    for built in examples() {
        for template in built.rendered.templates.values() {
            let yaml = template.to_yaml();
            let again: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
            assert_eq!(again, serde_json::from_str::<serde_json::Value>(&template.body).unwrap());
            for word in
                yaml.lines().filter(|line| line.contains(": ") || line.trim_start().starts_with("- ")).filter_map(plain)
            {
                words += 1;
                let sexagesimal = word.contains(':') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
                let date = word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
                let switch = ["on", "off", "yes", "no", "y", "n"].contains(&word.to_lowercase().as_str());
                assert!(!(sexagesimal || date || switch), "{}: {word}", built.document.name);
            }
        }
    }
    assert!(words > 1000);
    let eda = build("eda.yaml", &fs::read_to_string("examples/clusters/eda.yaml").unwrap());
    let all: String = eda.rendered.templates.values().map(hpcctl::render::Template::to_yaml).collect();
    assert!(all.contains("'ON'") && all.contains("'7:04:00'"));
}

#[test]
fn every_parameter_is_used() {
    let lustre = "
version: 1
name: small
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.large }
queues: [ { name: q, default: true, pools: [ { name: od, instance_types: [c5.large], max: 2 } ] } ]
storage: [ { name: scratch, mount: /fsx, fsx_lustre: { deployment: SCRATCH_2, capacity_gib: 1200, on_destroy: discard } } ]
";
    for built in examples().into_iter().chain([build("small.yaml", lustre)]) {
        for (key, template) in &built.rendered.templates {
            let value: serde_json::Value = serde_json::from_str(&template.body).unwrap();
            let rest = format!("{}{}", value["Resources"], value["Outputs"]);
            for name in value["Parameters"].as_object().into_iter().flatten().map(|(name, _)| name) {
                let used = rest.contains(&format!("\"Ref\":\"{name}\"")) || rest.contains(&format!("${{{name}}}"));
                assert!(used, "{} {key}: nothing uses {name}", built.document.name);
            }
        }
    }
}
