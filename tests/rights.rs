//! What nodes and their jobs may do, read off the rendered templates and node files of every example.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::render::NodeFile;
use serde_json::Value;
use std::{collections::BTreeMap, fs};
use support::*;

/// The example clusters by name.
fn examples() -> BTreeMap<String, Built> {
    let files = fs::read_dir("examples/clusters").unwrap().map(|entry| entry.unwrap().path());
    let build_one = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name.clone(), build(&format!("{name}.yaml"), &fs::read_to_string(&path).unwrap()))
    };
    files.map(build_one).collect()
}

/// A role as its template has it: stack, logical id, properties.
fn roles(built: &Built) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (stack, template) in &built.rendered.templates {
        let template: Value = serde_json::from_str(&template.body).unwrap();
        for (id, resource) in template["Resources"].as_object().unwrap() {
            if resource["Type"] == "AWS::IAM::Role" {
                found.push((stack.to_string(), id.clone(), resource["Properties"].clone()));
            }
        }
    }
    found
}

/// The secret of the munge key reaches the head node alone; the others have it from there. AW-07.
#[test]
fn only_the_head_node_may_read_secrets() {
    for (name, built) in examples() {
        let reads = |role: &Value| role["Policies"].to_string().contains("secretsmanager:");
        let all = roles(&built);
        let who: Vec<&str> = all.iter().filter(|(_, _, role)| reads(role)).map(|(_, id, _)| id.as_str()).collect();
        assert!(who.iter().all(|id| *id == "HeadRole"), "{name}: {who:?}");
        let files = &built.rendered.files;
        for kind in ["compute", "login"] {
            let asks =
                |(path, file): &(&String, &NodeFile)| path.starts_with(kind) && file.content.contains("secretsmanager");
            assert_eq!(files.iter().find(asks).map(|(path, _)| path), None, "{name}");
        }
    }
}

/// No role has a policy of Amazon's that nobody wrote into the cluster file: `AmazonSSMManagedInstanceCore` reads every
/// parameter of the account. AW-07.
#[test]
fn roles_have_the_managed_policies_of_the_file_alone() {
    for (name, built) in examples() {
        let text = fs::read_to_string(format!("examples/clusters/{name}.yaml")).unwrap();
        for (_, id, role) in roles(&built) {
            for policy in role["ManagedPolicyArns"].as_array().into_iter().flatten() {
                let known = policy.as_str().is_some_and(|arn| text.contains(arn));
                assert!(known, "{name}: {id} has {policy}");
            }
        }
    }
}

/// Only root reaches the metadata service of a compute node, unless its queue lets jobs in. AW-07.
#[test]
fn jobs_reach_the_role_only_where_the_queue_lets_them() {
    for (name, built) in examples() {
        let files = &built.rendered.files;
        for queue in &built.cluster.queues {
            let shell = &files[&format!("compute/{}/queue.sh", queue.name)].content;
            let word = format!("JOBS_MAY_USE_ROLE={}\n", queue.jobs_may_use_role);
            assert!(shell.contains(&word), "{name}: {}", queue.name);
        }
        let setup = &files["compute/setup.sh"].content;
        let shut = setup.find("\n[[ $JOBS_MAY_USE_ROLE == true ]] || protect_metadata\n").unwrap();
        assert!(shut < setup.rfind("\nstart_slurmd\n").unwrap(), "{name}: shut before the first job");
        if let Some(script) = files.get("compute/libexec/protect-metadata") {
            let lets: Vec<&str> = script.content.lines().filter(|line| line.ends_with("-j RETURN")).collect();
            assert_eq!(lets, [r#"iptables -w -A "$chain" -m owner --uid-owner 0 -j RETURN"#], "{name}");
        } else {
            assert!(built.cluster.queues.iter().all(|queue| queue.jobs_may_use_role), "{name}");
        }
    }
}
