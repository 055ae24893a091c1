//! What is approved, and what a saved plan may do: the program itself, on a sandbox of its own.

#![allow(clippy::unwrap_used)]

#[path = "support/lab.rs"]
mod lab;

use lab::Lab;

const FILE: &str = r#"version: 1
name: approved
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge, key_name: one }
queues: [ { name: q, pools: [ { name: od, instance_types: [c5.xlarge], max: 4 } ] } ]
storage: [ { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, data_repository: { import: "s3://approved-data" }, on_destroy: export } } ]
"#;

fn lab(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.write("c.yaml", FILE);
    lab.run(&["apply", "c.yaml", "--auto-approve"]).ends(0);
    lab
}

#[test]
fn an_approval_that_fits_nothing_is_a_slip() {
    let lab = lab("slip");
    lab.write("c.yaml", &FILE.replace("key_name: one", "key_name: two"));
    let before = lab.mutations();
    let slip = lab.run(&["apply", "c.yaml", "--auto-approve", "--approve-data-loss", "storage.nonsense"]).ends(3);
    assert!(slip.stderr.contains("HPC2043") && slip.stderr.contains("storage.nonsense"), "{}", slip.stderr);
    assert_eq!(lab.mutations(), before);
    lab.run(&["apply", "c.yaml", "--auto-approve", "--approve-data-loss", "all"]).ends(0);
}

#[test]
fn a_saved_plan_that_is_applied_already_does_nothing_again() {
    let lab = lab("again");
    lab.write("c.yaml", &FILE.replace("capacity_gib: 1200", "deployment: SCRATCH_1, capacity_gib: 1200"));
    lab.run(&["plan", "c.yaml", "--out", "p.json", "--no-preflight"]).ends(0);
    lab.run(&["apply", "p.json", "--auto-approve"]).ends(0);
    let exports = || lab.account()["tasks"].as_array().unwrap().len();
    let (tasks, stacks) = (exports(), lab.account()["stacks"].clone());
    let again = lab.run(&["apply", "p.json", "--auto-approve"]).ends(0);
    assert!(again.stderr.contains("is applied already, as revision 2"), "{}", again.stderr);
    assert_eq!((exports(), &lab.account()["stacks"]), (tasks, &stacks));
}
