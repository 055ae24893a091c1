//! What plans, and the ends of commands, tell besides what they do: what stays and costs, what is at stake, what comes too soon.

#![allow(clippy::unwrap_used)]

#[path = "support/lab.rs"]
mod lab;
mod support;

use hpcctl::{
    cloud::{Cloud, sandbox::Sandbox},
    model::StackKey,
    observe::{self, SlurmReport},
    plan::{self, After, Note, Obstacle, Plan, PlanError},
    report::{errors::Failure, plan_text, values},
};
use lab::Lab;
use serde_json::{Value, json};
use support::*;

const CLOSE: &str = r#"version: 1
name: close
region: eu-west-1
network: { create: { zones: [eu-west-1b, eu-west-1c] } }
head_node: { instance_type: c5.xlarge }
queues:
  - name: mpi
    efa: true
    placement_group: true
    pools:
      - { name: od, instance_types: [c5n.18xlarge], max: 4 }
      - { name: kept, purchase: capacity-reservation, capacity_reservation: { id: cr-0123456789abcdef0 }, instance_types: [c5n.18xlarge], max: 4 }
  - name: farm
    pools: [ { name: od, instance_types: [c5.xlarge], max: 4 } ]
"#;

/// Nodes that must be close are in one zone of a network that is created, and carry its name.
#[test]
fn nodes_that_must_be_close_are_in_one_zone_of_a_created_network() {
    let built = build("close.yaml", CLOSE);
    let template = |queue: &str| -> Value {
        serde_json::from_str(&built.rendered.templates[&StackKey::Queue(queue.to_owned())].body).unwrap()
    };
    let zones = |queue: &str, output: &str| {
        let value = template(queue)["Outputs"][output]["Value"].to_string();
        (value.contains("PrivateSubnet0"), value.contains("PrivateSubnet1"))
    };
    assert_eq!(zones("mpi", "SubnetsOd"), (true, false));
    assert_eq!(zones("mpi", "SubnetsKept"), (true, true), "a reservation has its own zone");
    assert_eq!(zones("farm", "SubnetsOd"), (true, true));
    let conf = built.rendered.files["head/slurm-queue-mpi.conf"].content.clone()
        + &built.rendered.files["head/slurm-queue-farm.conf"].content;
    let line = |nodes: &str| conf.lines().find(|line| line.contains(nodes)).unwrap().to_owned();
    assert!(line("NodeName=mpi-od").contains("eu-west-1b"), "{conf}");
    assert!(!line("NodeName=farm-od").contains("eu-west-1"), "{conf}");
    // One subnet holds them all.
    let many = CLOSE.replace("cidr", "").replace("max: 4 }\n      - { name: kept", "max: 300 }\n      - { name: kept");
    let small = many.replace("create: {", "create: { cidr: 10.0.0.0/22,");
    assert!(try_build("close.yaml", &small).err().unwrap()[0].starts_with("HPC1216"));
}

const KEEPS: &str = r#"version: 1
name: keeps
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge, data_volume: { size_gib: 120 } }
queues: [ { name: q, pools: [ { name: od, instance_types: [c5.xlarge], max: 4 } ] } ]
storage: [ { name: s, mount: /s, ebs: { size_gib: 70, on_destroy: snapshot } } ]
accounting: { rds: { instance_class: db.t4g.medium } }
"#;

/// What stays is named with its id, by what it is billed, and how it is removed; now and later.
#[test]
fn snapshots_that_stay_are_named() {
    let lab = Lab::new("snapshots");
    lab.write("c.yaml", KEEPS);
    lab.run(&["apply", "c.yaml", "--auto-approve"]).ends(0);
    let ends = lab.run(&["destroy", "c.yaml", "--auto-approve"]).ends(0);
    let end = ends.stdout.split("Done: plan").nth(1).unwrap().to_owned();
    let account = lab.account();
    let made: Vec<String> = account["retained"].as_object().unwrap().keys().cloned().collect();
    let snapshots: Vec<&String> = made.iter().filter(|id| id.starts_with("snap-")).collect();
    assert_eq!(snapshots.len(), 2, "{made:?}");
    for id in snapshots {
        assert!(end.contains(&format!("{id}, a snapshot of storage.")), "{end}");
        assert!(end.contains(&format!("aws ec2 delete-snapshot --snapshot-id {id}")), "{end}");
    }
    for words in [
        "billed by the month for what it holds, 120 GiB at most",
        "billed by the month for what it holds, 70 GiB at most",
        "a snapshot of accounting.database",
        "aws rds describe-db-snapshots --db-instance-identifier",
    ] {
        assert!(end.contains(words), "{words}: {end}");
    }
    // A backup of the same volume by somebody else's plan is not the cluster's to delete.
    let mut account = lab.account();
    let one = made.iter().find(|id| id.starts_with("snap-")).unwrap();
    let mut backup = account["retained"][one].clone();
    backup["physical"] = json!("snap-0aaaaaaaaaaaaaaaa");
    backup["tags"] = json!({ "aws:backup:source-resource": "vol" });
    account["retained"]["snap-0aaaaaaaaaaaaaaaa"] = backup;
    lab.write("account.json", &account.to_string());
    let status = lab.run(&["status", "c.yaml"]).ends(0).stdout;
    assert!(!status.contains("snap-0aaaaaaaaaaaaaaaa"), "{status}");
    assert!(status.contains("nothing there") && status.contains("a snapshot of storage.s vol-"), "{status}");
    let again = lab.run(&["destroy", "c.yaml", "--auto-approve"]).ends(0);
    assert!(
        again.stdout.contains("Nothing to destroy") && again.stdout.contains("delete-snapshot"),
        "{}",
        again.stdout
    );
}

const FARM: &str = r#"version: 1
name: farm
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge }
queues:
  - name: q
    pools:
      - { name: od, instance_types: [c5.xlarge], max: 60 }
      - { name: spot, purchase: spot, instance_types: [c5.xlarge], max: 60 }
  - name: other
    pools: [ { name: od, instance_types: [c5.xlarge], max: 4 } ]
"#;

/// A lab with the farm, on whose queue `q` nodes run and jobs run and wait.
fn farm(name: &str) -> Lab {
    let lab = Lab::new(name);
    lab.write("c.yaml", FARM);
    lab.run(&["apply", "c.yaml", "--auto-approve"]).ends(0);
    lab
}

/// Three nodes of pool `od` of queue `q`. Nobody says what runs on them.
fn at_work(lab: &Lab) {
    let mut account = lab.account();
    let instances = account["instances"].as_object().unwrap();
    let head = instances.values().find(|one| one["tags"]["hpcctl:role"] == "head").unwrap().clone();
    for number in 50..53 {
        let mut node = head.clone();
        let id = format!("i-000000000000000{number}");
        node["id"] = json!(id);
        for (key, value) in [("role", "compute"), ("queue", "q"), ("pool", "od"), ("node", &format!("q-od-{number}"))] {
            node["tags"][format!("hpcctl:{key}")] = json!(value);
        }
        account["instances"][&id] = node;
    }
    let objects = &mut account["buckets"]["hpcctl-123456789012-eu-west-1"]["objects"];
    objects.as_object_mut().unwrap().remove("clusters/farm/status/slurm.json");
    lab.faults(&json!([{ "head_node": { "trouble": "silent" } }]));
    lab.write("account.json", &account.to_string());
}

fn without_queue() -> String {
    let start = FARM.find("  - name: q\n").unwrap();
    format!("{}{}", &FARM[..start], &FARM[FARM.find("  - name: other").unwrap()..])
}

fn without_pool() -> String {
    FARM.lines()
        .filter(|line| !line.contains("name: od, instance_types: [c5.xlarge], max: 60"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Jobs are at stake with their queue or pool, and their end is approved as the end of data is.
#[test]
fn the_end_of_jobs_is_approved() {
    let lab = farm("jobs");
    at_work(&lab);
    for (text, what) in [(without_queue(), "queue"), (without_pool(), "pool")] {
        lab.write("d.yaml", &text);
        let plan = lab.run(&["plan", "d.yaml"]).ends(0).stdout;
        assert!(plan.contains("! job loss: jobs of q end") && plan.contains("HPC2041"), "{what}: {plan}");
        assert!(plan.contains("3 running nodes of pool od of q (q-od-50, q-od-51, q-od-52)"), "{what}: {plan}");
        let before = lab.mutations();
        let refused = lab.run(&["apply", "d.yaml", "--auto-approve"]).ends(3).stderr;
        assert!(
            refused.contains("queue.q.launch_template.od") && refused.contains("let the jobs end first"),
            "{refused}"
        );
        assert_eq!(lab.mutations(), before, "{what}");
    }
    lab.write("d.yaml", &without_queue());
    lab.run(&["apply", "d.yaml", "--auto-approve", "--approve-data-loss", "queue.q.launch_template.od", "--no-wait"])
        .ends(0);
}

/// Where the head node reports, its word counts: jobs that wait go with their queue, not with a pool of it.
#[test]
fn jobs_that_wait_are_at_stake_with_their_queue() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        carry_out_well(&cloud, &plan_for(&cloud, &build("c.yaml", FARM)).await).await;
        let with = |running: u32, pending: u32| {
            let queue = json!({ "name": "q", "state": "up", "held": null, "failed_starts": 0, "running": running,
                "pending": pending, "busy_nodes": 3, "pools": [], "last_failed_starts": [], "failing": [] });
            let report = json!({ "kind": "hpcctl/slurm-report", "format_version": "1.0", "cluster": "farm", "revision": 1,
                "at": 1767226200, "set_up_failed": null, "queues": [queue] });
            SlurmReport::parse(&serde_json::to_vec(&report).unwrap())
        };
        let (less, fewer) = (build("c.yaml", &without_queue()), build("c.yaml", &without_pool()));
        let mut live = look(&cloud, &less).await;
        for (running, pending, of_queue) in [(0, 0, 0), (0, 12, 1), (7, 12, 1)] {
            live.slurm = with(running, pending);
            let plan = try_plan(&live, &less).unwrap();
            assert_eq!(plan.losses().count(), of_queue, "{running} {pending}");
            assert_eq!(try_plan(&live, &fewer).unwrap().losses().count(), 0, "no node of the pool runs");
            if running > 0 {
                assert!(plan_text::impact(&plan).contains("queue q: 7 jobs on 3 nodes run, 12 more wait"));
            }
        }
        let digest = try_plan(&live, &less).unwrap().digest;
        live.slurm = with(9, 1);
        assert_eq!(digest, try_plan(&live, &less).unwrap().digest, "how many they are is only said");
    });
}

/// A saved plan that was made before the jobs began does not end them.
#[test]
fn jobs_that_began_after_the_plan_are_not_ended() {
    let lab = farm("later");
    lab.write("d.yaml", &without_queue());
    lab.run(&["plan", "d.yaml", "--out", "p.json"]).ends(0);
    at_work(&lab);
    let before = lab.account()["stacks"].clone();
    let refused = lab.run(&["apply", "p.json", "--auto-approve"]).ends(4).stderr;
    assert!(refused.contains("HPC2190") && refused.contains("jobs of q would end"), "{refused}");
    assert_eq!(lab.account()["stacks"], before);
}

/// Nodes beyond a smaller `max` are named, though no resource changes.
#[test]
fn nodes_beyond_a_smaller_max_are_named() {
    let lab = farm("smaller");
    at_work(&lab);
    lab.write("d.yaml", &FARM.replacen("max: 60", "max: 51", 1));
    let plan = lab.run(&["plan", "d.yaml"]).ends(0).stdout;
    assert!(plan.contains("1 running node of pool od of q (q-od-52) and their jobs end"), "{plan}");
}

/// A launch template is there as long as the head node's files name it.
#[test]
fn a_pool_leaves_the_files_before_its_launch_template_goes() {
    let lab = farm("template");
    at_work(&lab);
    lab.write("d.yaml", &without_pool());
    let plan = lab.run(&["plan", "d.yaml"]).ends(0).stdout;
    let order = plan.lines().find(|line| line.starts_with("Order")).unwrap();
    let place = |word: &str| order.find(word).unwrap_or_else(|| panic!("{word}: {order}"));
    assert!(place("publish node files") < place("update stack queue.q"), "{order}");
    assert!(!order.contains("terminate instances of queue q"), "the other pool goes on: {order}");
}

/// Links that somebody changed since the plan make it stale: what is exported, and where to, was read in it.
#[test]
fn a_plan_is_stale_when_its_links_have_changed() {
    let text = FARM.to_owned()
        + r#"storage: [ { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, on_destroy: export,
  data_repository_associations: [ { name: a, path: /a, s3: "s3://one-bucket/a" }, { name: b, path: /b, s3: "s3://one-bucket/b" } ] } } ]
"#;
    let lab = Lab::new("links");
    lab.write("c.yaml", &text);
    lab.run(&["apply", "c.yaml", "--auto-approve"]).ends(0);
    lab.write("c.yaml", &FARM.replace("max: 4", "max: 5"));
    lab.run(&["plan", "c.yaml", "--out", "p.json"]).ends(0);
    let shown = lab.run(&["plan", "c.yaml"]).ends(0).stdout;
    assert!(shown.contains("s3://one-bucket/a (/a), s3://one-bucket/b (/b)"), "{shown}");
    let mut plan: Value = serde_json::from_str(&std::fs::read_to_string(lab.path("p.json")).unwrap()).unwrap();
    let items = plan["basis"]["items"].as_object_mut().unwrap();
    let (name, links) = items.iter().find(|(name, _)| name.starts_with("links of file system")).unwrap();
    assert_eq!(links, "/a -> s3://one-bucket/a, /b -> s3://one-bucket/b", "{name}");
    let mut account = lab.account();
    let (stack, id) = association(&account);
    account["stacks"][&stack]["resources"][&id]["edits"] = json!({ "": null });
    lab.write("account.json", &account.to_string());
    let stale = lab.run(&["apply", "p.json", "--auto-approve", "--approve-data-loss", "all"]).ends(4).stderr;
    assert!(stale.contains("links of file system") && stale.contains("HPC2010"), "{stale}");
}

fn association(account: &Value) -> (String, String) {
    for (stack, value) in account["stacks"].as_object().unwrap() {
        for (id, resource) in value["resources"].as_object().unwrap() {
            if resource["kind"] == "AWS::FSx::DataRepositoryAssociation" {
                return (stack.clone(), id.clone());
            }
        }
    }
    panic!("no association")
}

/// FSx grows a file system once in six hours, EBS works on one change of a volume at a time: the plan says so before.
#[test]
fn a_growth_that_comes_too_soon_is_refused_by_plan_and_cloud() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let cloud = sandbox.cloud();
        let sized = |lustre: u32, volume: u32| {
            build(
                "c.yaml",
                &format!(
                    "{FARM}storage: [ {{ name: s, mount: /s, fsx_lustre: {{ capacity_gib: {lustre}, on_destroy: discard }} }}, \
                 {{ name: v, mount: /v, ebs: {{ size_gib: {volume}, on_destroy: discard }} }} ]\n"
                ),
            )
        };
        for built in [sized(1200, 50), sized(2400, 60)] {
            let plan = plan_for(&cloud, &built).await;
            assert_eq!(obstacles(&cloud, &plan, &built).await, Vec::<Obstacle>::new());
            carry_out_well(&cloud, &plan).await;
        }
        let more = sized(4800, 70);
        let plan = plan_for(&cloud, &more).await;
        let found = obstacles(&cloud, &plan, &more).await;
        let live = look(&cloud, &more).await;
        let state = &live.file_systems.values().next().unwrap().state;
        let later = state.grown.unwrap().plus(6 * 3600);
        let words: Vec<String> = found.iter().map(hpcctl::report::words::obstacle).collect();
        assert!(words.iter().any(|word| word.contains(&format!("not before {later}"))), "{words:?}");
        assert!(words.iter().any(|word| word.contains("storage.v") && word.contains("EBS still works")), "{words:?}");
        let failure: Failure = PlanError::Obstacles { obstacles: found }.into();
        assert_eq!((failure.code, failure.exit), ("HPC2191", 3));
        let refused = format!("{:?}", carry_out(&cloud, &plan).await.failed);
        assert!(refused.contains("six hours") || refused.contains("IncorrectModificationState"), "{refused}");
        cloud.clock.sleep(std::time::Duration::from_secs(6 * 3600)).await;
        let plan = plan_for(&cloud, &more).await;
        assert_eq!(obstacles(&cloud, &plan, &more).await, Vec::<Obstacle>::new());
        carry_out_well(&cloud, &plan).await;
        assert_eq!(obstacles(&cloud, &plan, &more).await, Vec::<Obstacle>::new(), "it is done");
    });
}

async fn obstacles(cloud: &Cloud, plan: &Plan, built: &Built) -> Vec<Obstacle> {
    let live = look(cloud, built).await;
    let guards = observe::guards(cloud, &live, &plan::going(plan)).await.unwrap();
    plan::obstacles(plan, &live, &guards)
}

/// Who looks has read the warnings; a cluster whose file is not at hand is named; a region that nobody named is told.
#[test]
fn a_cluster_is_known_by_its_name() {
    let lab = farm("name");
    let warned = lab.run(&["plan", "c.yaml"]).ends(0).stderr;
    assert!(warned.contains("HPC1111"), "{warned}");
    assert!(!lab.run(&["status", "c.yaml"]).ends(0).stderr.contains("HPC1111"));
    let listed = lab.run(&["list"]).ends(0);
    assert!(listed.stderr.contains("no region was named: this is us-east-1"), "{}", listed.stderr);
    assert!(!lab.run(&["list", "--region", "eu-west-1"]).ends(0).stderr.contains("no region was named"));
    let nowhere = lab.run(&["history", "farm"]).ends(1).stderr;
    assert!(nowhere.contains("HPC2192") && nowhere.contains("--region"), "{nowhere}");
    let past = lab.run(&["history", "farm", "--region", "eu-west-1"]).ends(0).stdout;
    assert!(past.contains("    1  "), "{past}");
    assert_eq!(lab.run(&["history", "farm", "--region", "eu-west-1", "--show", "1"]).ends(0).stdout, FARM);
    let nobody = lab.run(&["destroy", "nobody", "--region", "eu-west-1", "--auto-approve"]).ends(0);
    assert!(nobody.stderr.contains("nobody has no archive in eu-west-1"), "{}", nobody.stderr);
    lab.run(&["destroy", "farm", "--region", "eu-west-1", "--auto-approve"]).ends(0);
    assert!(lab.run(&["status", "c.yaml"]).ends(0).stdout.contains("nothing there"));
}

/// Another region in the file is another cluster: that there is one already is told.
#[test]
fn a_second_cluster_of_the_name_is_told() {
    let lab = farm("elsewhere");
    lab.write("d.yaml", &FARM.replace("eu-west-1", "eu-central-1"));
    let plan = lab.run(&["plan", "d.yaml"]).ends(0);
    assert!(plan.stderr.contains("a cluster farm exists in eu-west-1: this is a second one"), "{}", plan.stderr);
    assert!(!lab.run(&["plan", "c.yaml"]).ends(0).stderr.contains("second one"));
}

/// A door that is opened is seen without unfolding: in the text, in markdown, and as the finding that it is.
#[test]
fn an_opened_door_is_seen() {
    let lab = farm("door");
    let open = |cidrs: &str| {
        let head = format!("c5.xlarge, ssh_from: [{cidrs}] }}");
        FARM.replacen("c5.xlarge }", &head, 1)
    };
    lab.write("c.yaml", &open("203.0.113.0/24"));
    lab.run(&["apply", "c.yaml", "--auto-approve"]).ends(0);
    lab.write("d.yaml", &open("203.0.113.0/24, 0.0.0.0/0"));
    let text = lab.run(&["plan", "d.yaml"]).ends(0).stdout;
    let line = text.lines().find(|line| line.contains("0.0.0.0/0")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("SecurityGroupIngress/1") && line.contains("(not set) ->"), "{line}");
    let markdown = lab.run(&["plan", "d.yaml", "--format", "markdown"]).ends(0).stdout;
    let shown = markdown.split("<details>").next().unwrap();
    assert!(shown.contains("**HPC1218** d.yaml:5:"), "{shown}");
    assert!(shown.contains("| access |") && shown.contains("\"CidrIp\":\"0.0.0.0/0\""), "{shown}");
    assert!(shown.contains("HPC1111"), "the other findings, too: {shown}");
}

/// Two sides of a change are never cut to the same text.
#[test]
fn long_values_are_cut_where_they_differ() {
    let text = |end: &str| json!(format!("{}{end}", "x".repeat(200)));
    let (before, after) = values::change(Some(&text("old and more")), &After::Known(text("new and more")), false);
    assert!(before.contains("old") && after.contains("new") && before.starts_with('\u{2026}'), "{before} {after}");
    let (whole, _) = values::change(Some(&text("old")), &After::Known(text("new")), true);
    assert!(whole.starts_with("xxx") && whole.ends_with("old"), "{whole}");
}

/// Nothing is renamed: what looks like it is said.
#[test]
fn what_looks_like_a_renaming_is_told() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let with = |queue: &str, storage: &str| {
            let text = FARM.replace("name: q\n", &format!("name: {queue}\n"));
            build(
                "c.yaml",
                &format!(
                    "{text}storage: [ {{ name: {storage}, mount: /s, fsx_lustre: {{ capacity_gib: 1200, on_destroy: discard }} }} ]\n"
                ),
            )
        };
        carry_out_well(&cloud, &plan_for(&cloud, &with("q", "one")).await).await;
        let plan = plan_for(&cloud, &with("r", "two")).await;
        let renamed = |from: &str, to: &str| Note::LooksRenamed { from: from.to_owned(), to: to.to_owned() };
        for note in [renamed("queue.q", "queue.r"), renamed("storage.one", "storage.two")] {
            assert!(plan.notes.contains(&note), "{note:?}: {:?}", plan.notes);
        }
        let plan = plan_for(&cloud, &with("q", "one")).await;
        assert!(plan.notes.is_empty(), "{:?}", plan.notes);
    });
}

/// AW-25: a newer image may have a kernel that FSx has no client for.
#[test]
fn a_newer_image_may_boot_twice_where_lustre_is_mounted() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory("eu-west-1").cloud();
        let of = |os: &str, storage: &str| build("c.yaml", &format!("{FARM}image: {{ os: {os} }}\n{storage}"));
        let lustre = "storage: [ { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, on_destroy: discard } } ]\n";
        carry_out_well(&cloud, &plan_for(&cloud, &of("ubuntu2204", lustre)).await).await;
        let told = |plan: &Plan| plan.notes.iter().any(|note| matches!(note, Note::KernelMayLag { .. }));
        assert!(told(&plan_for(&cloud, &of("ubuntu2404", lustre)).await));
        assert!(!told(&plan_for(&cloud, &of("ubuntu2404", "")).await), "no Lustre any more");
        assert!(!told(&plan_for(&cloud, &of("ubuntu2204", lustre)).await), "the same image");
    });
}

/// A written file stands where it is: its schema is beside it, and not where the examples have it.
#[test]
fn a_file_to_begin_with_names_a_schema_of_its_own() {
    let lab = Lab::new("init");
    lab.run(&["init"]).ends(0);
    let text = std::fs::read_to_string(lab.path("cluster.yaml")).unwrap();
    assert!(!text.contains("../../schemas") && text.contains("hpcctl schema > cluster.schema.json"), "{text}");
    lab.run(&["validate", "cluster.yaml"]).ends(0);
}

/// Plans are as their schema says: offline and against a cloud, of making, changing and taking away.
#[test]
fn plans_are_as_their_schema_says() {
    let lab = farm("schema");
    at_work(&lab);
    let schema: Value = serde_json::from_str(&lab.run(&["schema", "plan"]).ends(0).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/clusters");
    let everything = format!("{examples}/everything.yaml");
    let lustre = "storage: [ { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, on_destroy: discard } } ]\n";
    lab.write("more.yaml", &format!("{FARM}{lustre}"));
    lab.write("less.yaml", &without_queue());
    for words in [
        &["plan", everything.as_str(), "--offline"][..],
        &["plan", "c.yaml", "--drift"],
        &["plan", "more.yaml"],
        &["plan", "less.yaml"],
        &["destroy", "c.yaml", "--plan-only"],
    ] {
        let shown = lab.run(&[words, &["--format", "json"]].concat()).ends(0).stdout;
        let plan: Value = serde_json::from_str(&shown).unwrap();
        let wrong: Vec<String> =
            validator.iter_errors(&plan).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{words:?}: {wrong:?}");
        assert!(plan["changes"].is_array());
    }
    let mut broken: Value =
        serde_json::from_str(&lab.run(&["plan", "c.yaml", "--format", "json"]).ends(0).stdout).unwrap();
    broken["revision"] = json!("two");
    assert!(!validator.is_valid(&broken), "a schema that takes anything says nothing");
}

/// What is not known before is said: stacks that CloudFormation could not be asked about, and what fails half-way.
#[test]
fn what_a_plan_cannot_know_is_said() {
    let scratch = |deployment: &str| {
        format!(
            "{FARM}storage: [ {{ name: s, mount: /s, fsx_lustre: {{ deployment: {deployment}, capacity_gib: 1200, on_destroy: export, \
             data_repository: {{ import: s3://one-bucket, export: s3://one-bucket/out }} }} }} ]\n"
        )
    };
    let lab = Lab::new("unknown");
    lab.write("c.yaml", &scratch("SCRATCH_2"));
    lab.run(&["apply", "c.yaml", "--auto-approve"]).ends(0);
    lab.write("d.yaml", &scratch("SCRATCH_1"));
    let plan = lab.run(&["plan", "d.yaml"]).ends(0).stdout;
    assert!(plan.contains("CloudFormation was not asked about monitoring"), "{plan}");
    assert!(plan.contains("is exported to s3://one-bucket/out first"), "{plan}");
    let destroy = lab.run(&["destroy", "c.yaml", "--plan-only"]).ends(0).stdout;
    assert!(destroy.contains("the head node and all jobs end before the export; should that fail"), "{destroy}");
    let stake = destroy.split("data at stake").nth(1).unwrap();
    assert!(!stake.contains("log_group") && destroy.contains("the cluster's logs go with it"), "{destroy}");
}

/// Whoever does not want a loss is told what helps against this one.
#[test]
fn the_way_around_a_loss_fits_its_cause() {
    let lab = Lab::new("around");
    let discards = KEEPS.replace("on_destroy: snapshot", "on_destroy: discard");
    lab.write("c.yaml", &discards);
    lab.run(&["apply", "c.yaml", "--auto-approve"]).ends(0);
    let refused = lab.run(&["destroy", "c.yaml", "--auto-approve"]).ends(3).stderr;
    assert!(refused.contains("set `on_destroy` to snapshot or keep") && !refused.contains("to export"), "{refused}");
}
