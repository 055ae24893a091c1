//! What the account has: asked before the plan, held against the file, and built on.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    catalog::{Ground, InstanceCatalog, ResourceCatalog},
    check::{self, Facts},
    cloud::{
        CloudKind, StackInput, TemplateSource,
        rights::{self, Purpose, Scope},
        sandbox::{CallError, CallErrorKind, Fault, Sandbox, Script},
    },
    model,
    observe::{self, Questions},
    plan::{self, Action, Desired, Plan},
    render,
    report::findings,
    spec,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};
use support::*;

const BASE: &str = r#"
version: 1
name: fld
region: us-east-1
network:
  vpc_id: vpc-0a1b2c3d4e5f67890
  head_node_subnet: subnet-0a1b2c3d4e5f67890
  compute_subnets: [subnet-0b1c2d3e4f5a67891]
head_node: { instance_type: m6i.xlarge }
queues:
  - { name: q, default: true, pools: [ { name: od, instance_types: [c6i.4xlarge], max: 10 } ] }
"#;
/// Three subnets in three zones.
const ZONES: [(&str, &str); 3] = [
    ("subnet-0a1b2c3d4e5f67890", "us-east-1a"),
    ("subnet-0b1c2d3e4f5a67891", "us-east-1b"),
    ("subnet-0c1c2d3e4f5a67899", "us-east-1c"),
];
const LUSTRE: &str = "storage: [ { name: data, mount: /data, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: \
                      125, capacity_gib: 1200, on_destroy: discard } } ]";
const EFS: &str = "storage: [ { name: home, mount: /users, efs: { on_destroy: keep } } ]";

fn with_subnets(list: &str, storage: &str) -> String {
    format!("{}\n{storage}\n", BASE.replace("[subnet-0b1c2d3e4f5a67891]", list))
}

fn script(value: Value) -> Script {
    serde_json::from_value(value).unwrap()
}

fn sandbox(script: Script) -> Sandbox {
    let zones = ZONES.map(|(subnet, zone)| (subnet.to_owned(), zone.to_owned())).into();
    let script = Script { subnet_zones: zones, ..script };
    let file = std::env::temp_dir().join(format!("hpcctl-preflight-{}-{:p}", std::process::id(), &script));
    let _ = fs::remove_file(&file);
    let region = if script.vpc_id.as_deref() == Some("vpc-china") { "cn-north-1" } else { "us-east-1" };
    Sandbox::open_with(&file, region, script, None).unwrap()
}

/// A file on the ground of an account: what was found in it, and what it is turned into.
struct Grounded {
    ground: Ground,
    codes: BTreeSet<u16>,
    built: Built,
    plan: Plan,
}

async fn on(sandbox: &Sandbox, text: &str) -> Grounded {
    let cloud = sandbox.cloud();
    assert_eq!(cloud.kind, CloudKind::Sandbox);
    let catalog = InstanceCatalog::embedded();
    let document = spec::read("fld.yaml", text);
    let cluster = document.cluster.clone().unwrap_or_else(|| panic!("{text}"));
    let offline = model::build(&cluster, catalog);
    let live = observe::observe(&cloud, &offline.cluster, &observe::Wanted::by(&offline, false)).await.unwrap();
    let rights = rights::questions(Purpose::Apply, &Scope::everywhere("123456789012"));
    let questions = Questions { all: true, rights };
    let ground = observe::ground(&cloud, &cluster, &offline, &live, &questions).await.unwrap();
    let facts = Facts { catalog: Some(catalog), ground: Some(&ground), ..Facts::default() };
    let found = check::check(&document, &facts);
    for finding in &found {
        let given: BTreeSet<&str> = finding.args.iter().map(|(name, _)| *name).collect();
        for words in [finding.rule.message, finding.rule.remedy] {
            let filled = |part: &str| findings::gaps(part).all(|gap| given.contains(gap));
            assert!(words.split(" || ").any(filled), "{}: {given:?} does not fill `{words}`", finding.rule.id());
        }
    }
    let codes = found.iter().map(|finding| finding.rule.code).collect();
    let cluster = model::completed(&cluster, &ground);
    let graph = model::build_on(&cluster, catalog, &ground);
    let rendered = render::render(&graph, render::node_files(&cluster, catalog).unwrap());
    let built = Built { document, cluster, graph, rendered };
    let desired = Desired { document: &built.document, graph: &built.graph, rendered: &built.rendered };
    let plan = plan::plan(&desired, &live, &ResourceCatalog::embedded()).unwrap();
    Grounded { ground, codes, built, plan }
}

fn template(built: &Built, stack: &str) -> Value {
    let key = built.rendered.templates.keys().find(|key| key.to_string() == stack).unwrap();
    serde_json::from_str(&built.rendered.templates[key].body).unwrap()
}

/// Addresses of what changes, without what stays.
fn changes(plan: &Plan) -> Vec<(String, Action)> {
    plan.changes.iter().map(|change| (change.address.clone(), change.action)).collect()
}

const FORWARD: &str = "[subnet-0b1c2d3e4f5a67891, subnet-0c1c2d3e4f5a67899]";
const BACKWARD: &str = "[subnet-0c1c2d3e4f5a67899, subnet-0b1c2d3e4f5a67891]";

#[test]
fn a_file_system_stays_in_its_subnet_whatever_the_order() {
    on_sandbox(async {
        let sandbox = sandbox(Script::default());
        let first = on(&sandbox, &with_subnets(FORWARD, LUSTRE)).await;
        carry_out_well(&sandbox.cloud(), &first.plan).await;
        let reversed = on(&sandbox, &with_subnets(BACKWARD, LUSTRE)).await;
        assert_eq!(changes(&reversed.plan), vec![], "the order of the list means nothing");
        let gone = on(&sandbox, &with_subnets("[subnet-0c1c2d3e4f5a67899]", LUSTRE)).await;
        assert!(changes(&gone.plan).contains(&("storage.data".to_owned(), Action::Replace)));
        let named = LUSTRE.replace("fsx_lustre: {", "fsx_lustre: { subnet: subnet-0c1c2d3e4f5a67899,");
        let named = on(&sandbox, &with_subnets(FORWARD, &named)).await;
        assert!(changes(&named.plan).contains(&("storage.data".to_owned(), Action::Replace)), "the key decides");
    });
}

#[test]
fn mount_targets_follow_zones_and_not_places_in_a_list() {
    on_sandbox(async {
        let sandbox = sandbox(Script::default());
        let first = on(&sandbox, &with_subnets(FORWARD, EFS)).await;
        carry_out_well(&sandbox.cloud(), &first.plan).await;
        let reversed = on(&sandbox, &with_subnets(BACKWARD, EFS)).await;
        assert_eq!(changes(&reversed.plan), vec![]);
        let gone = on(&sandbox, &with_subnets("[subnet-0c1c2d3e4f5a67899]", EFS)).await;
        let of_storage: Vec<_> =
            changes(&gone.plan).into_iter().filter(|(address, _)| address.starts_with("storage.")).collect();
        assert_eq!(of_storage, vec![("storage.home.mount.us-east-1b".to_owned(), Action::Delete)]);
        carry_out_well(&sandbox.cloud(), &gone.plan).await;
    });
}

#[test]
fn a_mount_target_stays_when_its_zone_gets_another_subnet() {
    on_sandbox(async {
        let sandbox = sandbox(Script::default());
        let first = on(&sandbox, &with_subnets("[subnet-0b1c2d3e4f5a67891]", EFS)).await;
        carry_out_well(&sandbox.cloud(), &first.plan).await;
        let list =
            "[subnet-0d1c2d3e4f5a67800]\n  subnet_zones: [ { subnet: subnet-0d1c2d3e4f5a67800, zone: us-east-1b } ]";
        let other = on(&sandbox, &with_subnets(list, EFS)).await;
        let targets: Vec<_> =
            changes(&other.plan).into_iter().filter(|(address, _)| address.contains(".mount.")).collect();
        assert_eq!(targets, vec![], "a second target in the zone would be refused");
        carry_out_well(&sandbox.cloud(), &other.plan).await;
    });
}

#[test]
fn efs_has_a_target_in_the_zone_of_every_node_when_ec2_is_asked() {
    on_sandbox(async {
        let text = with_subnets("[subnet-0b1c2d3e4f5a67891]", EFS);
        let offline = build("fld.yaml", &text);
        let targets = |built: &Built| {
            let resources = template(built, "storage")["Resources"].clone();
            let all = resources.as_object().unwrap().values().filter(|one| one["Type"] == "AWS::EFS::MountTarget");
            all.map(|one| one["Properties"]["SubnetId"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!(targets(&offline).len(), 1);
        let codes = check::check(&offline.document, &Facts::embedded());
        assert!(codes.iter().any(|finding| finding.rule.code == 1780), "offline it is said");
        let sandbox = sandbox(Script::default());
        let asked = on(&sandbox, &text).await;
        assert!(!asked.codes.contains(&1780));
        assert!(targets(&asked.built).contains("subnet-0a1b2c3d4e5f67890"), "the head node's zone has a target");
        let database = "accounting: { rds: { engine: mysql, instance_class: db.t4g.medium } }";
        let told = |list: &str| with_subnets(list, database);
        assert!(on(&sandbox, &told(FORWARD)).await.codes.is_empty());
        let one_zone = told("[subnet-0b1c2d3e4f5a67891, subnet-0d1c2d3e4f5a67800]");
        let sandbox = self::sandbox(Script::default());
        let mut zones: std::collections::BTreeMap<String, String> =
            ZONES.map(|(subnet, zone)| (subnet.to_owned(), zone.to_owned())).into();
        zones.insert("subnet-0d1c2d3e4f5a67800".to_owned(), "us-east-1b".to_owned());
        sandbox.set_script(Script { subnet_zones: zones, ..Script::default() });
        assert!(on(&sandbox, &one_zone).await.codes.contains(&1506));
    });
}

#[test]
fn a_file_system_waits_for_the_rules_of_its_group() {
    on_sandbox(async {
        let built = build("fld.yaml", &with_subnets(FORWARD, LUSTRE));
        let mut storage = template(&built, "storage");
        let file_system = storage["Resources"]["DataFileSystem"].as_object_mut().unwrap();
        let waits: BTreeSet<String> = serde_json::from_value(file_system["DependsOn"].clone()).unwrap();
        let rules: BTreeSet<String> = template(&built, "storage")["Resources"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(id, one)| {
                id.starts_with("Lustre")
                    && one["Type"].as_str().unwrap().starts_with("AWS::EC2::SecurityGroup")
                    && *id != "LustreSecurityGroup"
            })
            .map(|(id, _)| id.clone())
            .collect();
        assert_eq!(waits, rules);

        file_system.remove("DependsOn");
        let cloud = sandbox(Script::default()).cloud();
        let input = StackInput {
            name: "fld-storage".to_owned(),
            template: TemplateSource::Body(storage.to_string()),
            parameters: [("HeadZone".to_owned(), "us-east-1a".to_owned())].into(),
            tags: Default::default(),
            token: "one".to_owned(),
            termination_protection: false,
        };
        cloud.stacks.create(&input).await.unwrap();
        for _ in 0..200 {
            cloud.clock.sleep(std::time::Duration::from_secs(60)).await;
        }
        let events = cloud.stacks.events("fld-storage", None).await.unwrap();
        let said = format!("{events:?}");
        assert!(said.contains("do not permit Lustre LNET network traffic on port 988"), "{said}");
    });
}

/// The root volume of the only machine of a stack.
fn root(built: &Built, stack: &str) -> Value {
    let template = template(built, stack);
    let mut all = template["Resources"].as_object().unwrap().values();
    let found = all.find_map(|one| {
        let own = one["Properties"].get("BlockDeviceMappings");
        own.or_else(|| one.pointer("/Properties/LaunchTemplateData/BlockDeviceMappings"))
    });
    found.unwrap_or_else(|| panic!("{template:#}"))[0].clone()
}

#[test]
fn an_image_of_ones_own_has_its_own_root_volume() {
    on_sandbox(async {
        let text = format!("{BASE}image: {{ os: ubuntu2404, ami: ami-0aaaabbbbccccdddd }}\n");
        let images = json!({ "images": { "ami-0aaaabbbbccccdddd": {
            "architecture": "x86_64", "root_device": "/dev/xvda", "root_gib": 102 } } });
        let sandbox = sandbox(script(images));
        let own = on(&sandbox, &text).await;
        assert!(own.codes.is_empty(), "{:?}", own.codes);
        for stack in ["head", "queue.q"] {
            let mapping = root(&own.built, stack);
            assert_eq!(mapping["DeviceName"], "/dev/xvda", "{stack}");
            assert_eq!(mapping["Ebs"].get("VolumeSize"), None, "{stack}: the image decides");
        }
        let small = text.replace("m6i.xlarge }", "m6i.xlarge, root_volume: { size_gib: 35 } }");
        assert!(on(&sandbox, &small).await.codes.contains(&1787));
        let vendor = on(&sandbox, BASE).await;
        let mapping = root(&vendor.built, "head");
        assert_eq!((&mapping["DeviceName"], &mapping["Ebs"]["VolumeSize"]), (&json!("/dev/sda1"), &json!(40)));
    });
}

#[test]
fn the_mount_name_of_a_file_system_that_exists_is_asked_of_fsx() {
    on_sandbox(async {
        let storage = "storage: [ { name: b, mount: /fsx, fsx_lustre: { file_system_id: fs-0785e49e590123456 } } ]";
        let text = format!("{BASE}{storage}\n");
        let sandbox = sandbox(script(json!({ "mount_names": { "fs-0785e49e590123456": "vkzt3bev" } })));
        let asked = on(&sandbox, &text).await;
        assert!(asked.codes.is_empty(), "{:?}", asked.codes);
        let mounts = |built: &Built| {
            let files = built.rendered.files.values().map(|file| file.content.as_str());
            files.filter(|text| text.contains("mount_lustre b ")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(mounts(&asked.built).iter().all(|text| text.contains("vkzt3bev")));
        assert!(!mounts(&asked.built).is_empty());
        let wrong = text.replace("456 }", "456, mount_name: fsx }");
        assert!(on(&sandbox, &wrong).await.codes.contains(&1793));
    });
}

const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const LOGS_KEY: &str = "monitoring: { logs: { kms_key: \"arn:aws:kms:us-east-1:123456789012:key/\
                        1234abcd-12ab-34cd-56ef-1234567890ab\" } }\n";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:munge-AbCdEf";
const MUNGE: &str =
    "slurm: { munge_key_secret: \"arn:aws:secretsmanager:us-east-1:123456789012:secret:munge-AbCdEf\" }\n";
const GROUP: &str = "arn:aws:resource-groups:us-east-1:123456789012:group/reserved";

/// Every rule about what an account has, broken once; and not found where the account has it.
#[test]
fn what_the_account_lacks_is_found_in_the_plan() {
    let absent = |name: &str| json!({ "absent": [name] });
    let bucket = "storage: [ { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, data_repository: { import: \
                  \"s3://site-data\" }, on_destroy: discard } } ]";
    let image = "image: { os: ubuntu2404, ami: ami-0aaaabbbbccccdddd }";
    let reservation = BASE.replace(
        "{ name: od,",
        "{ name: od, purchase: capacity-reservation, capacity_reservation: { id: cr-0a1b2c3d4e5f67890 },",
    );
    let grouped = reservation.replace("{ id: cr-0a1b2c3d4e5f67890 }", &format!("{{ resource_group: \"{GROUP}\" }}"));
    let made_in = json!({ "reservations": { "cr-0a1b2c3d4e5f67890": { "placement_group": "near" } } });
    let create = BASE.replace(
        "  vpc_id: vpc-0a1b2c3d4e5f67890\n  head_node_subnet: subnet-0a1b2c3d4e5f67890\n  compute_subnets: [subnet-0b1c2d3e4f5a67891]",
        "  create: {}",
    );
    let key = BASE.replace("m6i.xlarge }", "m6i.xlarge, key_name: mine }");
    let group = BASE.replace("head_node:", "  additional_security_groups: [sg-0a1b2c3d4e5f67890]\nhead_node:");
    let zone = BASE.replace(
        "head_node:",
        "  subnet_zones: [ { subnet: subnet-0b1c2d3e4f5a67891, zone: us-east-1a } ]\nhead_node:",
    );
    let cases: Vec<(u16, &str, Value, String)> = vec![
        (1782, "subnet", absent("subnet-0b1c2d3e4f5a67891"), BASE.to_owned()),
        (1782, "VPC", absent("vpc-0a1b2c3d4e5f67890"), BASE.to_owned()),
        (1782, "bucket", absent("site-data"), format!("{BASE}{bucket}\n")),
        (1782, "image", absent("ami-0aaaabbbbccccdddd"), format!("{BASE}{image}\n")),
        (1782, "key pair", absent("mine"), key.clone()),
        (1782, "security group", absent("sg-0a1b2c3d4e5f67890"), group.clone()),
        (1782, "capacity reservation", absent("cr-0a1b2c3d4e5f67890"), reservation.clone()),
        (1783, "VPC of another", json!({ "vpc_id": "vpc-0ffffffffffffffff" }), group),
        (1784, "zone", json!({}), zone),
        (
            1786,
            "architecture",
            json!({ "images": { "ami-0aaaabbbbccccdddd": { "architecture": "arm64" } } }),
            format!("{BASE}{image}\n"),
        ),
        (1782, "KMS key", absent(KEY), format!("{BASE}{LOGS_KEY}")),
        (
            1803,
            "key that waits for its deletion",
            json!({ "keys": { KEY: "PendingDeletion" } }),
            format!("{BASE}{LOGS_KEY}"),
        ),
        (1803, "key that is disabled", json!({ "keys": { KEY: "Disabled" } }), format!("{BASE}{LOGS_KEY}")),
        (1782, "secret", absent(SECRET), format!("{BASE}{MUNGE}")),
        (1803, "secret that stays", json!({ "leaving_secrets": [SECRET] }), format!("{BASE}{MUNGE}")),
        (1804, "group of reservations", absent(GROUP), grouped.clone()),
        (1804, "reservation in its group", json!({ "reservation_groups": { GROUP: 0 } }), grouped),
        (1805, "the reservation's placement group", made_in.clone(), reservation.clone()),
        (
            1805,
            "this placement group",
            made_in.clone(),
            reservation.replace("default: true,", "default: true, existing_placement_group: other,"),
        ),
        (1806, "number of file systems", json!({ "quotas": { "L-FD6F2F22": 0.0 } }), format!("{BASE}{LUSTRE}\n")),
        (1806, "capacity", json!({ "quotas": { "L-8F1B9C74": 1199.0 } }), format!("{BASE}{LUSTRE}\n")),
        (
            1800,
            "newer image",
            json!({ "images": { "ami-0aaaabbbbccccdddd": { "deprecated": "2025-12-31T23:59:59.000Z" } } }),
            format!("{BASE}{image}\n"),
        ),
        (1788, "no zone", json!({ "not_offered": { "c6i.4xlarge": [] } }), BASE.to_owned()),
        (1788, "its zone", json!({ "not_offered": { "c6i.4xlarge": ["us-east-1b"] } }), BASE.to_owned()),
        (
            1789,
            "one of two zones",
            json!({ "not_offered": { "c6i.4xlarge": ["us-east-1c"] } }),
            BASE.replace("[subnet-0b1c2d3e4f5a67891]", FORWARD),
        ),
        (1790, "vCPUs", json!({ "quotas": { "L-1216C47A": 64.0 } }), BASE.to_owned()),
        (1791, "VPCs", json!({ "quotas": { "L-F678F1CE": 1.0 } }), create.clone()),
        (1794, "rights", json!({ "denied": ["cloudformation:CreateStack"] }), BASE.to_owned()),
        (
            1797,
            "vendor's image",
            absent("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"),
            BASE.to_owned(),
        ),
        (1785, "addresses", json!({}), BASE.replace("max: 10", "max: 400")),
    ];
    on_sandbox(async {
        for (code, what, lacking, text) in cases {
            let found = on(&sandbox(script(lacking.clone())), &text).await.codes;
            assert!(found.contains(&code), "{what}: HPC{code} not among {found:?}");
            if lacking != json!({}) {
                let found = on(&sandbox(Script::default()), &text).await.codes;
                assert!(!found.contains(&code), "{what}: HPC{code} although it is there");
            }
        }
    });
}

/// EC2 tells when a public image will be deprecated from the day on which it is made.
#[test]
fn an_image_that_will_be_deprecated_is_not_yet() {
    on_sandbox(async {
        let text = format!("{BASE}image: {{ os: ubuntu2404, ami: ami-0aaaabbbbccccdddd }}\n");
        let later = json!({ "images": { "ami-0aaaabbbbccccdddd": { "deprecated": "2028-01-01T00:00:00.000Z" } } });
        let found = on(&sandbox(script(later)), &text).await;
        assert!(!found.codes.contains(&1800), "{:?}", found.codes);
    });
}

/// A queue that launches into the group of its reservation, and file systems that fit beside those that are there.
#[test]
fn what_the_account_has_is_enough() {
    on_sandbox(async {
        let reserved = BASE.replace(
            "name: q, default: true, pools: [ { name: od,",
            "name: q, default: true, existing_placement_group: near, pools: [ { name: od, purchase: capacity-reservation, \
             capacity_reservation: { id: cr-0a1b2c3d4e5f67890 },",
        );
        let made_in = json!({ "reservations": { "cr-0a1b2c3d4e5f67890": { "placement_group": "near" } } });
        let found = on(&sandbox(script(made_in)), &reserved).await.codes;
        assert!(!found.contains(&1805), "{found:?}");

        let room = |gib: f64| script(json!({ "quotas": { "L-FD6F2F22": 2.0, "L-8F1B9C74": gib } }));
        let sandbox = sandbox(room(2400.0));
        let text = format!("{BASE}{LUSTRE}\n");
        let first = on(&sandbox, &text).await;
        assert!(!first.codes.contains(&1806), "{:?}", first.codes);
        carry_out_well(&sandbox.cloud(), &first.plan).await;
        let standing = on(&sandbox, &text).await.codes;
        assert!(!standing.contains(&1806), "its own counts once: {standing:?}");
        let other = text.replace("name: fld", "name: other");
        assert!(!on(&sandbox, &other).await.codes.contains(&1806), "there is room for a second one");
        sandbox.set_script(room(2399.0));
        assert!(on(&sandbox, &other).await.codes.contains(&1806), "what is there counts");
    });
}

#[test]
fn a_stack_of_somebody_else_is_refused() {
    on_sandbox(async {
        let sandbox = sandbox(Script::default());
        let body = json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}).to_string();
        let input = StackInput {
            name: "fld-storage".to_owned(),
            template: TemplateSource::Body(body),
            parameters: Default::default(),
            tags: Default::default(),
            token: "one".to_owned(),
            termination_protection: false,
        };
        sandbox.cloud().stacks.create(&input).await.unwrap();
        let found = on(&sandbox, BASE).await;
        assert!(found.codes.contains(&1792));
        assert_eq!(found.ground.foreign_stacks, BTreeSet::from(["fld-storage".to_owned()]));
    });
}

#[test]
fn the_sandbox_refuses_what_is_absent_at_creation_too() {
    on_sandbox(async {
        let sandbox = sandbox(script(json!({ "absent": ["subnet-0b1c2d3e4f5a67891"] })));
        let built = build("fld.yaml", &format!("{BASE}{LUSTRE}\n"));
        let applied = carry_out(&sandbox.cloud(), &plan_for(&sandbox.cloud(), &built).await).await;
        let said = format!("{:?}", applied.failed);
        assert!(said.contains("The subnet ID 'subnet-0b1c2d3e4f5a67891' does not exist"), "{said}");
    });
}

#[test]
fn what_nobody_may_ask_is_skipped_with_a_word() {
    on_sandbox(async {
        let sandbox = sandbox(Script::default());
        for operation in ["DescribeVpcs", "GetServiceQuota", "DescribeInstanceTypeOfferings", "SimulatePrincipalPolicy"]
        {
            let error = CallErrorKind::AccessDenied;
            let denied = CallError { operation: operation.to_owned(), error, message: None, after: 0, times: Some(99) };
            sandbox.add_fault(Fault::Error(denied));
        }
        let found = on(&sandbox, BASE).await;
        assert!(found.codes.is_empty(), "{:?}", found.codes);
        let skipped: Vec<&str> = found.ground.skipped.keys().copied().collect();
        assert_eq!(skipped, ["VPCs", "instance type offerings", "quotas", "the caller's rights"]);
    });
}

/// The session of a role does not tell the role's path: IAM is asked for it, and its simulator knows the whole ARN alone.
#[test]
fn the_rights_of_an_identity_center_role_are_asked_for() {
    on_sandbox(async {
        let role = "AWSReservedSSO_Engineers_0123456789abcdef";
        let caller = format!("arn:aws:sts::123456789012:assumed-role/{role}/jane");
        let script = json!({ "caller": caller, "denied": ["fsx:CreateFileSystem"] });
        let sandbox = sandbox(self::script(script));
        let found = on(&sandbox, &format!("{BASE}{LUSTRE}\n")).await;
        assert_eq!(found.ground.denied, Some(BTreeSet::from(["fsx:CreateFileSystem".to_owned()])));
        assert!(!found.ground.skipped.contains_key("the caller's rights"), "{:?}", found.ground.skipped);
        let without_path = format!("arn:aws:iam::123456789012:role/{role}");
        let question =
            hpcctl::cloud::RightsQuestion { resource: "*".to_owned(), actions: Vec::new(), context: Vec::new() };
        let refused = sandbox.cloud().inventory.denied(&without_path, &question).await.unwrap_err();
        assert_eq!(refused.kind, hpcctl::cloud::ErrorKind::NotFound, "{refused}");
    });
}

#[test]
fn few_calls_are_made() {
    on_sandbox(async {
        let text = fs::read_to_string("examples/clusters/everything.yaml").unwrap();
        let sandbox = Sandbox::in_memory("us-east-1");
        let found = on(&sandbox, &text).await;
        assert!(found.codes.iter().all(|code| !(1780..1820).contains(code)), "{:?}", found.codes);
        // A dozen kinds of things, a bucket, a quota and a stack each, and the simulator's batches of a hundred actions.
        assert!(found.ground.calls <= 60, "{} calls", found.ground.calls);
    });
}

#[test]
fn ec2_goes_by_its_name_in_each_partition() {
    let trust = |region: &str| {
        let built = build("fld.yaml", &BASE.replace("us-east-1", region));
        let role = template(&built, "head")["Resources"]["HeadRole"]["Properties"]["AssumeRolePolicyDocument"].clone();
        role["Statement"][0]["Principal"]["Service"].clone()
    };
    assert_eq!(trust("cn-north-1"), json!("ec2.amazonaws.com.cn"));
    assert_eq!(trust("us-gov-west-1"), json!("ec2.amazonaws.com"));
    assert_eq!(trust("us-east-1"), json!("ec2.amazonaws.com"));
}

/// Operations that only programs on nodes call: their rights are the nodes' roles.
const ON_NODES: [&str; 5] =
    ["AssignPrivateIpAddresses", "AttachVolume", "CreateFleet", "CreateTags", "DescribeInstanceStatus"];

#[test]
fn the_table_of_rights_has_every_call_of_the_adapters_and_no_other() {
    let mut called = BTreeSet::new();
    for entry in fs::read_dir("src/cloud/aws").unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for part in text.split("failed(\"").skip(1) {
            let mut words = part.split('"');
            let (service, operation) = (words.next().unwrap().to_owned(), words.nth(1).unwrap().to_owned());
            if operation.starts_with(char::is_uppercase) {
                called.insert((service, operation));
            }
        }
    }
    let table: BTreeSet<(String, String)> = rights::calls().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    let missing: Vec<_> = called.difference(&table).filter(|(_, one)| !ON_NODES.contains(&one.as_str())).collect();
    assert!(missing.is_empty(), "src/cloud/rights.rs has no rights for {missing:?}");
    // Their failures are not looked at, are somebody else's, or bear a name that stands elsewhere.
    let silent = ["DeleteChangeSet", "HeadObject", "DescribeStackDriftDetectionStatus", "DetectStackResourceDrift"];
    let unused: Vec<_> = table.difference(&called).filter(|(_, one)| !silent.contains(&one.as_str())).collect();
    assert!(unused.is_empty(), "rights for calls that nobody makes: {unused:?}");
}

#[test]
fn policies_are_as_narrow_as_the_file() {
    let built = build("fld.yaml", BASE);
    let types = built.graph.stacks.iter().flat_map(|stack| stack.resources.values());
    let scope = Scope {
        account: "123456789012".to_owned(),
        keys: BTreeSet::new(),
        secrets: BTreeSet::new(),
        region: "us-east-1".to_owned(),
        cluster: "fld".to_owned(),
        iam_path: "/hpcctl/fld/".to_owned(),
        buckets: BTreeSet::new(),
        passed: BTreeSet::new(),
        types: types.map(|resource| resource.kind.to_owned()).collect(),
    };
    let policy = rights::policy(Purpose::Apply, &scope);
    let text = policy.to_string();
    assert!(text.contains("arn:aws:cloudformation:us-east-1:123456789012:stack/fld-*/*"));
    assert!(text.contains("ec2:RunInstances") && !text.contains("fsx:CreateFileSystem"), "only what the file makes");
    for statement in policy["Statement"].as_array().unwrap() {
        let open = statement["Resource"] == json!(["*"]) && statement.get("Condition").is_none();
        let actions = statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap());
        for action in actions.filter(|_| open) {
            let verb = action.split(':').nth(1).unwrap();
            let looks = ["Describe", "Get", "List", "Simulate"].iter().any(|look| verb.starts_with(look));
            assert!(looks, "{action} on everything, and under no condition");
        }
    }
    let looks = rights::policy(Purpose::Plan, &scope).to_string();
    assert!(!looks.contains("CreateStack\"") && !looks.contains("PutObject"), "who plans changes nothing");
}

#[test]
fn every_resource_type_of_the_examples_has_its_providers_actions() {
    for entry in fs::read_dir("examples/clusters").unwrap() {
        let path = entry.unwrap().path();
        let built = build("one.yaml", &fs::read_to_string(&path).unwrap());
        for resource in built.graph.stacks.iter().flat_map(|stack| stack.resources.values()) {
            let count = hpcctl::catalog::handler_actions(resource.kind).count();
            assert!(count > 0, "{}: {} is not in src/catalog/data/handlers.txt", path.display(), resource.kind);
        }
    }
    assert!(Path::new("src/catalog/data/handlers.txt").exists());
}

/// A policy for every cluster lets CloudFormation call for what some cluster file makes, and for nothing else.
#[test]
fn a_policy_for_every_cluster_has_the_types_that_clusters_have() {
    let known = Scope::everywhere("*").types;
    let mut made: BTreeSet<String> = Scope::bootstrap_types().collect();
    for entry in fs::read_dir("examples/clusters").unwrap() {
        let built = build("one.yaml", &fs::read_to_string(entry.unwrap().path()).unwrap());
        let resources = built.graph.stacks.iter().flat_map(|stack| stack.resources.values());
        made.extend(resources.map(|resource| resource.kind.to_owned()));
    }
    assert_eq!(known, made);
    let policy = rights::policy(Purpose::Apply, &Scope::everywhere("*")).to_string();
    for strange in ["lambda:", "route53:", "s3:REST.", "s3:DeleteBucketCors", "iam:AttachUserPolicy"] {
        assert!(!policy.contains(strange), "{strange} is nothing that clusters need");
    }
}

/// What takes a resource is allowed on the cluster's or on a kind, and not on everything; what takes none is.
#[test]
fn looks_are_narrow_where_iam_lets_them_be() {
    let scope = Scope { iam_path: "/hpcctl/fld/".to_owned(), ..Scope::everywhere("123456789012") };
    let of = |purpose, action: &str| -> Vec<String> {
        let all = rights::statements(purpose, &scope).into_iter();
        all.filter(|one| one.actions.contains(action)).flat_map(|one| one.resources).collect()
    };
    assert_eq!(of(Purpose::Plan, "ec2:DescribeInstanceAttribute"), ["arn:aws:ec2:*:123456789012:instance/*"]);
    assert_eq!(of(Purpose::Plan, "iam:GetInstanceProfile"), ["arn:aws:iam::123456789012:instance-profile/*"]);
    assert!(of(Purpose::Apply, "iam:ListRoleTags").contains(&"arn:aws:iam::123456789012:role/hpcctl/fld/*".to_owned()));
    assert!(!of(Purpose::Operate, "fis:StartExperiment").contains(&"*".to_owned()));
    assert_eq!(of(Purpose::Apply, "iam:ListRoles").iter().filter(|one| *one != "*").count(), 0);
}

/// A managed policy has 6,144 characters at most, a role takes ten: what is printed in parts can be created, and the parts
/// together allow what the whole does.
#[test]
fn the_parts_of_a_policy_fit_and_allow_the_whole() {
    let allowed = |documents: &[Value]| {
        let statements = documents.iter().flat_map(|one| one["Statement"].as_array().unwrap());
        let mut all: Vec<String> = statements
            .flat_map(|one| {
                let on = format!("{} {}", one["Resource"], one.get("Condition").unwrap_or(&Value::Null));
                one["Action"].as_array().unwrap().iter().map(move |action| format!("{action} {on}")).collect::<Vec<_>>()
            })
            .collect();
        all.sort();
        all
    };
    let mut cut = 0;
    for entry in fs::read_dir("examples/clusters").unwrap() {
        let path = entry.unwrap().path();
        let built = build("one.yaml", &fs::read_to_string(&path).unwrap());
        let types = built.graph.stacks.iter().flat_map(|stack| stack.resources.values());
        let scope = Scope {
            types: types.map(|resource| resource.kind.to_owned()).collect(),
            ..Scope::everywhere("123456789012")
        };
        for purpose in [Purpose::Plan, Purpose::Apply, Purpose::Operate] {
            let documents = rights::documents(purpose, &scope);
            for document in &documents {
                let count = rights::characters(document);
                assert!(count <= rights::MANAGED_POLICY, "{}: {purpose:?} has {count}", path.display());
                let sids: BTreeSet<&str> =
                    document["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap()).collect();
                assert_eq!(sids.len(), document["Statement"].as_array().unwrap().len(), "ids are one of a kind");
            }
            assert!(documents.len() <= 10);
            assert_eq!(allowed(&documents), allowed(&[rights::policy(purpose, &scope)]), "{}", path.display());
            cut += usize::from(documents.len() > 1);
        }
    }
    assert!(cut >= 10, "the policies of apply are longer than one document");
    assert!(rights::documents(Purpose::Apply, &Scope::everywhere("*")).len() <= 10);
}
