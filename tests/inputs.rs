//! Files that users name and that are not what they seem: endless, in other encodings, cluster files in JSON, plans with more
//! in them than was planned.

#![allow(clippy::unwrap_used)]

#[path = "support/lab.rs"]
mod lab;

use lab::{Lab, ran};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    process::Stdio,
    time::{Duration, Instant},
};

const YAML: &str = "examples/clusters/minimal.yaml";

fn lab(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.write("cluster.yaml", &fs::read_to_string(YAML).unwrap());
    lab
}

/// The cluster file as JSON, which is YAML.
fn as_json() -> String {
    let value: Value = serde_yaml::from_str(&fs::read_to_string(YAML).unwrap()).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn a_cluster_file_may_be_json() {
    let lab = lab("json");
    for (name, text) in
        [("plain", as_json()), ("mark", format!("\u{feff}{}", as_json())), ("space", format!("\n {}", as_json()))]
    {
        lab.write("cluster.json", &text);
        let _ = fs::remove_file(lab.path("account.json"));
        let applied = lab.does("apply", "cluster.json").ends(0);
        assert!(applied.stdout.contains("Cluster minimal"), "{name}: {}", applied.stdout);
    }
    // In YAML's own way of writing that is no JSON.
    lab.write("cluster.json", "{ version: 1, name: odd, queues: [] }");
    let refused = lab.does("apply", "cluster.json").ends(1);
    assert!(refused.stderr.contains("HPC1000") && !refused.stderr.contains("plan"), "{}", refused.stderr);
    // What says that it is a document is none of these, and a plan that is cut off is no cluster file.
    lab.run(&["plan", "cluster.yaml", "--out", "plan.json", "--no-preflight"]);
    let plan = fs::read_to_string(lab.path("plan.json")).unwrap();
    lab.write("cut.json", &plan[..plan.len() / 2]);
    lab.write("other.json", r#"{ "kind": "hpcctl.findings", "format_version": "1.0" }"#);
    for name in ["cut.json", "other.json"] {
        let refused = lab.does("apply", name).ends(1);
        assert!(refused.stderr.contains("HPC2014"), "{name}: {}", refused.stderr);
    }
    let mark = format!("\u{feff}{plan}");
    lab.write("mark.json", &mark);
    assert!(!lab.run(&["show", "mark.json"]).ends(0).stdout.is_empty());
}

#[test]
fn a_cluster_file_comes_from_a_pipe_as_well() {
    let lab = lab("pipe");
    let mut command = lab.command(&["apply", "-", "--auto-approve"]);
    let mut child = lab.start(command.stdin(Stdio::piped()));
    child.stdin.take().unwrap().write_all(fs::read_to_string(YAML).unwrap().as_bytes()).unwrap();
    ran(child).ends(0);
}

#[test]
fn another_encoding_is_named() {
    let lab = lab("encoding");
    let text = fs::read_to_string(YAML).unwrap();
    let wide = |mark: &[u8], order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(order)).collect()
    };
    for bytes in [
        wide(&[0xff, 0xfe], u16::to_le_bytes),
        wide(&[0xfe, 0xff], u16::to_be_bytes),
        wide(&[], u16::to_le_bytes),
        wide(&[], u16::to_be_bytes),
    ] {
        fs::write(lab.path("wide.yaml"), bytes).unwrap();
        for words in [&["validate", "wide.yaml"][..], &["apply", "wide.yaml", "--auto-approve"], &["plan", "wide.yaml"]]
        {
            let refused = lab.run(words).ends(1);
            let said = format!("{}{}", refused.stdout, refused.stderr);
            assert!(said.contains("this is UTF-16, not UTF-8") && said.contains("iconv"), "{said}");
        }
    }
}

#[test]
fn endless_files_end() {
    let lab = lab("endless");
    let began = Instant::now();
    for words in [
        &["apply", "/dev/zero", "--auto-approve"][..],
        &["show", "/dev/zero"],
        &["validate", "/dev/zero"],
        &["plan", "/dev/zero"],
        &["destroy", "/dev/zero", "--auto-approve"],
    ] {
        let refused = lab.run(words).ends(1);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains("HPC2188") || said.contains("HPC1021"), "{words:?}: {said}");
    }
    for variable in ["HPCCTL_SANDBOX_STATE", "HPCCTL_SANDBOX_FAULTS", "HPCCTL_CATALOG"] {
        let mut command = lab.command(&["plan", "cluster.yaml"]);
        let refused = ran(lab.start(command.env(variable, "/dev/zero"))).ends(1);
        assert!(refused.stderr.contains("MiB, or has no end"), "{variable}: {}", refused.stderr);
    }
    // A pipe that goes on for ever.
    let mut command = lab.command(&["apply", "-", "--auto-approve"]);
    let mut child = lab.start(command.stdin(Stdio::piped()));
    let mut pipe = child.stdin.take().unwrap();
    while pipe.write_all(&[b'#'; 1 << 16]).is_ok() {}
    let refused = ran(child).ends(1);
    assert!(refused.stderr.contains("HPC2188"), "{}", refused.stderr);
    assert!(began.elapsed() < Duration::from_secs(300), "{:?}", began.elapsed());
}

/// Who reads the plan reads what is applied: nothing in it is outside its digest.
#[test]
fn a_plan_says_nothing_that_is_not_applied() {
    let lab = lab("plan");
    lab.run(&["plan", "cluster.yaml", "--out", "plan.json", "--no-preflight"]);
    let plan = fs::read_to_string(lab.path("plan.json")).unwrap();
    for (name, from, to, code) in [
        ("a field more", "{", "{ \"approved_by\": \"security\",", "HPC2187"),
        ("one that is false", "{", "{ \"deletes\": false,", "HPC2187"),
        ("deep inside", "\"steps\": [\n    {", "\"steps\": [\n    { \"note\": \"harmless\",", "HPC2187"),
        ("a key twice", "{", "{ \"cluster\": \"another\",", "HPC2187"),
        ("another value", "\"region\": \"", "\"region\": \"x", "HPC2011"),
    ] {
        assert!(plan.contains(from), "{name}");
        lab.write("edited.json", &plan.replacen(from, to, 1));
        let refused = lab.does("apply", "edited.json");
        assert_ne!(refused.code, Some(0), "{name}");
        assert!(refused.stderr.contains(code), "{name}: {}", refused.stderr);
        let account = fs::read_to_string(lab.path("account.json")).unwrap_or_default();
        assert!(!account.contains("CREATE"), "{name}: something was made");
    }
    lab.does("apply", "plan.json").ends(0);
}

#[test]
fn a_flood_of_mistakes_is_cut_short() {
    let lab = lab("flood");
    let text = |keys: usize| {
        let more: String = (0..keys).map(|number| format!("key{number}: 1\n")).collect();
        format!("{}{more}", fs::read_to_string(YAML).unwrap())
    };
    lab.write("flood.yaml", &text(20_000));
    let found = lab.run(&["validate", "flood.yaml"]).ends(1);
    assert_eq!(found.stdout.matches("HPC1010").count(), 100);
    assert!(
        found.stdout.contains("and 19900 more\n") && found.stdout.contains("20000 errors"),
        "{}",
        &found.stdout[found.stdout.len() - 200..]
    );
    let found = lab.run(&["validate", "flood.yaml", "--format", "json"]).ends(1);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    let file = &found["files"][0];
    let shown = file["findings"].as_array().unwrap().len();
    assert_eq!((shown, &file["left_out"], &file["errors"]), (5000, &15_000.into(), &20_000.into()));
    let found = lab.run(&["validate", "flood.yaml", "--format", "sarif"]).ends(1);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found["runs"][0]["results"].as_array().unwrap().len(), 5000);
    let found = lab.run(&["validate", "flood.yaml", "--format", "github"]).ends(1);
    assert_eq!(found.stdout.lines().count(), 101);
}

/// Generators write a file on one line: what is shown of it is the place and what stands around it.
#[test]
fn a_file_of_one_long_line_is_shown_in_part() {
    let lab = Lab::new("one-line");
    let pools = |queue: usize| {
        let pool = |pool: usize| json!({ "name": format!("p{pool}"), "instance_types": ["c5.large"], "max": 3 });
        json!({ "name": format!("q{queue}"), "pools": (0..5).map(pool).collect::<Vec<_>>() })
    };
    let mut file = json!({ "version": 1, "name": "line", "region": "eu-west-1", "network": { "create": {} },
        "head_node": { "instance_type": "c5.large" }, "queues": (0..260).map(pools).collect::<Vec<_>>() });
    file["queues"][259]["pools"][4]["mxa"] = json!(4);
    let text = file.to_string();
    assert!(text.len() > 66_000 && !text.contains('\n'));
    lab.write("c.json", &text);
    let ran = lab.run(&["validate", "c.json"]).ends(1);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("mxa") && said.contains("HPC1") && said.contains("c.json:1:"), "{said}");
    assert!(said.len() < 4_000, "{} bytes", said.len());
    for queue in 0..200 {
        for pool in 0..5 {
            file["queues"][queue]["pools"][pool]["mxa"] = json!("ä");
        }
    }
    lab.write("c.json", &file.to_string());
    let ran = lab.run(&["validate", "c.json"]).ends(1);
    assert!(ran.stdout.len() + ran.stderr.len() < 100_000, "{} bytes", ran.stdout.len() + ran.stderr.len());
}
