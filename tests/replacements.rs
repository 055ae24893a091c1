//! What a change of the cluster file does to what exists: replaced, stopped, refused, or left alone. Each is planned
//! against a cluster that the sandbox made, and where it is applied, the sandbox does what AWS does.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    catalog::Rule,
    cloud::{Cloud, StackStatus, UpdateStart},
    model::StackKey,
    plan::{Action, Change, DataFate, Effect, Plan, PlanError, Reason, Refusal, Refused, StepAction},
};
use support::*;

const REGION: &str = "eu-west-1";

/// A scratch and a persistent file system, a database, a network of its own.
const LUSTRE: &str = r#"version: 1
name: lv
region: eu-west-1
network: { create: {} }
head_node: { instance_type: c5.xlarge, root_volume: { size_gib: 50 } }
queues: [ { name: q, default: true, placement_group: true, pools: [ { name: od, instance_types: [c5n.18xlarge], max: 4 } ] } ]
storage:
  - { name: s, mount: /s, fsx_lustre: { capacity_gib: 1200, data_repository: { import: "s3://lv-data" }, on_destroy: export } }
  - { name: p, mount: /p, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 2400, on_destroy: keep } }
  - { name: apps, mount: /apps, ebs: { size_gib: 100, on_destroy: snapshot } }
accounting: { rds: { engine: mysql, instance_class: db.t4g.medium, storage_gib: 50 } }
"#;

fn lustre() -> Built {
    build("lv.yaml", LUSTRE)
}

fn changed(from: &str, to: &str) -> Built {
    assert!(LUSTRE.contains(from), "the file has no `{from}`");
    build("lv.yaml", &LUSTRE.replace(from, to))
}

/// The cluster as it is, made.
async fn made(built: &Built) -> Cloud {
    let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
    carry_out_well(&cloud, &plan_for(&cloud, built).await).await;
    assert!(plan_for(&cloud, built).await.is_empty());
    cloud
}

async fn refusals(cloud: &Cloud, built: &Built) -> Vec<Refusal> {
    match try_plan_for(cloud, built).await {
        Err(PlanError::Refused { refusals, .. }) => refusals,
        other => panic!("{:?}", other.map(|plan| plan.changes)),
    }
}

fn one<'p>(plan: &'p Plan, address: &str) -> &'p Change {
    plan.changes.iter().find(|change| change.address == address).unwrap_or_else(|| panic!("no {address}"))
}

fn exported(plan: &Plan, name: &str) -> bool {
    plan.steps.iter().any(|step| matches!(&step.action, StepAction::Export { storage, .. } if storage == name))
}

#[test]
fn a_lower_lustre_version_is_a_new_file_system() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let older = changed("capacity_gib: 1200,", "capacity_gib: 1200, lustre_version: \"2.12\",");
        let plan = try_plan_for(&cloud, &older).await.unwrap();
        let change = one(&plan, "storage.s");
        assert_eq!(change.action, Action::Replace);
        assert_eq!(change.data.as_ref().unwrap().fate, DataFate::ExportedFirst);
        assert!(exported(&plan, "s") && plan.impact.file_systems_lost == ["s"]);
        let before = change.physical_id.clone();
        carry_out_well(&cloud, &plan).await;
        let again = try_plan_for(&cloud, &older).await.unwrap();
        assert!(again.is_empty(), "{:?}", again.changes);
        let live = look(&cloud, &older).await;
        assert_ne!(live.stacks[&StackKey::Storage].physical_id("SFileSystem").map(str::to_owned), before);
    });
}

#[test]
fn what_stays_open_counts_as_replacement_where_data_is_concerned() {
    on_sandbox(async {
        let old = changed("capacity_gib: 1200,", "capacity_gib: 1200, lustre_version: \"2.12\",");
        let cloud = made(&old).await;
        let plan = try_plan_for(&cloud, &lustre()).await.unwrap();
        let change = one(&plan, "storage.s");
        assert_eq!(change.properties[0].effect, Effect::MayReplace);
        assert_eq!((change.action, plan.count(Action::Replace) > 0), (Action::Replace, true));
        assert!(exported(&plan, "s"));
        // And where it cannot be exported or kept, it is a loss that needs its own approval.
        let discard = LUSTRE.replace("on_destroy: keep", "on_destroy: discard");
        let cloud = made(&build("lv.yaml", &discard)).await;
        let faster = build("lv.yaml", &discard.replace("throughput_per_tib: 125", "throughput_per_tib: 250"));
        let plan = try_plan_for(&cloud, &faster).await.unwrap();
        let losses: Vec<&str> = plan.losses().map(|change| change.address.as_str()).collect();
        assert_eq!(losses, ["storage.p"]);
    });
}

#[test]
fn a_larger_root_disk_replaces_the_head_node() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let larger = changed("size_gib: 50 }", "size_gib: 100 }");
        let plan = try_plan_for(&cloud, &larger).await.unwrap();
        let change = one(&plan, "head.instance");
        assert_eq!(change.action, Action::Replace);
        assert_eq!(change.properties[0].ruling.as_ref().unwrap().rule, Rule::SetAtLaunch);
        assert!(plan.impact.head_node_replaced);
        carry_out_well(&cloud, &plan).await;
        let live = look(&cloud, &larger).await;
        assert_ne!(live.stacks[&StackKey::Head].physical_id("HeadInstance"), change.physical_id.as_deref());
        assert!(try_plan_for(&cloud, &larger).await.unwrap().is_empty());
    });
}

#[test]
fn another_type_of_head_node_stops_and_starts_it() {
    on_sandbox(async {
        for fixed in [false, true] {
            let text = LUSTRE.replace("c5.xlarge,", &format!("c5.xlarge, elastic_ip: {fixed},"));
            let cloud = made(&build("lv.yaml", &text)).await;
            let head = |live: &hpcctl::observe::Live| {
                let id = live.stacks[&StackKey::Head].physical_id("HeadInstance").unwrap().to_owned();
                live.instances.iter().find(|instance| instance.id == id).unwrap().clone()
            };
            let larger = build("lv.yaml", &text.replace("c5.xlarge", "c5.4xlarge"));
            let before = head(&look(&cloud, &larger).await);
            let plan = try_plan_for(&cloud, &larger).await.unwrap();
            let change = one(&plan, "head.instance");
            assert_eq!((change.action, change.properties[0].effect), (Action::Update, Effect::Restarts));
            assert!(plan.impact.head_node_restarts && !plan.impact.head_node_replaced);
            assert_eq!(plan.impact.head_address_changes, !fixed);
            assert!(plan.impact.seconds >= 240, "{}", plan.impact.seconds);
            let began = cloud.clock.now();
            carry_out_well(&cloud, &plan).await;
            assert!(cloud.clock.now().0 - began.0 > 150, "stopping and starting takes its time");
            let after = head(&look(&cloud, &larger).await);
            assert_eq!((before.id, after.instance_type.as_str()), (after.id, "c5.4xlarge"));
            assert_eq!(before.public_ip != after.public_ip, !fixed);
        }
    });
}

/// The update as CloudFormation would be asked for it, although the plan refuses it.
async fn forced(cloud: &Cloud, built: &Built, stack: &StackKey) -> (Result<(), String>, StackStatus) {
    let live = look(cloud, built).await;
    let state = &live.stacks[stack].state;
    let input = hpcctl::cloud::StackInput {
        name: state.name.clone(),
        template: hpcctl::cloud::TemplateSource::Body(built.rendered.templates[stack].body.clone()),
        parameters: state.parameters.clone(),
        tags: state.tags.clone(),
        token: "forced".to_owned(),
        termination_protection: false,
    };
    let asked = cloud.stacks.preview(&input).await.map(|_| ()).map_err(|error| error.message);
    match cloud.stacks.update(&input).await {
        Err(error) => return (Err(error.message), state.status),
        Ok(start) => assert_eq!(start, UpdateStart::Running),
    }
    loop {
        let now = cloud.stacks.stack(&state.name).await.unwrap().unwrap();
        if !now.status.in_progress() {
            return (asked, now.status);
        }
        cloud.clock.sleep(std::time::Duration::from_secs(30)).await;
    }
}

#[test]
fn storage_that_shrinks_is_refused_by_plan_and_cloud() {
    on_sandbox(async {
        let cases = [
            ("capacity_gib: 2400", "capacity_gib: 1200", "storage.p", "StorageCapacity", 9, StackKey::Storage),
            ("ebs: { size_gib: 100", "ebs: { size_gib: 50", "storage.apps", "Size", 10, StackKey::Storage),
            ("storage_gib: 50", "storage_gib: 20", "accounting.database", "AllocatedStorage", 11, StackKey::Accounting),
        ];
        for (from, to, address, property, line, stack) in cases {
            let cloud = made(&lustre()).await;
            let smaller = changed(from, to);
            let found = refusals(&cloud, &smaller).await;
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].address.as_str(), found[0].cause.as_ref().unwrap().line), (address, line));
            let Refused::Property { change, .. } = &found[0].what else { panic!("{found:?}") };
            assert_eq!((change.path.as_str(), found[0].what.rule()), (property, Some(Rule::OnlyGrows)));
            assert_eq!(forced(&cloud, &smaller, &stack).await.1, StackStatus::UpdateRollbackComplete, "{address}");
            // The other way is an update in place.
            let larger = changed(from, &from.replace("2400", "4800").replace("100", "200").replace("50", "100"));
            let plan = try_plan_for(&cloud, &larger).await.unwrap();
            assert_eq!((one(&plan, address).action, plan.count(Action::Replace)), (Action::Update, 0));
        }
    });
}

#[test]
fn a_refusal_of_the_old_one_ends_where_a_new_one_is_made() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let from = "deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 2400";
        let to = "deployment: PERSISTENT_1, throughput_per_tib: 100, capacity_gib: 1200";
        let plan = try_plan_for(&cloud, &changed(from, to)).await.unwrap();
        assert_eq!(one(&plan, "storage.p").action, Action::Replace);
        carry_out_well(&cloud, &plan).await;
    });
}

#[test]
fn scratch_1_keeps_its_size() {
    on_sandbox(async {
        let first = "capacity_gib: 1200,";
        let old = changed(first, "deployment: SCRATCH_1, capacity_gib: 1200,");
        let cloud = made(&old).await;
        let found = refusals(&cloud, &changed(first, "deployment: SCRATCH_1, capacity_gib: 2400,")).await;
        assert_eq!(found[0].what.rule(), Some(Rule::FixedSize));
        let plan = try_plan_for(&cloud, &changed(first, "deployment: SCRATCH_2, capacity_gib: 2400,")).await.unwrap();
        assert_eq!(one(&plan, "storage.s").action, Action::Replace);
    });
}

#[test]
fn what_has_no_update_is_refused_when_planned() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let key = "arn:aws:kms:eu-west-1:123456789012:key/11112222-3333-4444-5555-666677778888";
        let other = changed("size_gib: 100,", &format!("size_gib: 100, kms_key: \"{key}\","));
        let found = refusals(&cloud, &other).await;
        assert_eq!((found[0].address.as_str(), found[0].what.rule()), ("storage.apps", Some(Rule::NoUpdate)));
        assert_eq!(forced(&cloud, &other, &StackKey::Storage).await.1, StackStatus::UpdateRollbackComplete);
    });
}

#[test]
fn another_kind_takes_a_place_of_its_own_and_starts_empty() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let mysql = "engine: mysql, instance_class: db.t4g.medium, storage_gib: 50";
        let aurora = changed(mysql, "engine: aurora-mysql-serverless, min_acu: 0.5, max_acu: 4");
        let plan = try_plan_for(&cloud, &aurora).await.unwrap();
        let created = plan.changes.iter().find(|c| c.action == Action::Create && c.address == "accounting.database");
        assert_eq!(created.unwrap().reason, Reason::StartsEmpty { instead_of: "Database".to_owned() });
        carry_out_well(&cloud, &plan).await;
        assert!(try_plan_for(&cloud, &aurora).await.unwrap().is_empty());

        let fsx =
            "fsx_lustre: { capacity_gib: 1200, data_repository: { import: \"s3://lv-data\" }, on_destroy: export }";
        let mysql = lustre();
        let cloud = made(&mysql).await;
        let efs = changed(fsx, "efs: { on_destroy: keep }");
        let plan = try_plan_for(&cloud, &efs).await.unwrap();
        assert!(exported(&plan, "s"));
        carry_out_well(&cloud, &plan).await;
        assert!(try_plan_for(&cloud, &efs).await.unwrap().is_empty());
        let back = try_plan_for(&cloud, &mysql).await.unwrap();
        carry_out_well(&cloud, &back).await;
        assert!(try_plan_for(&cloud, &mysql).await.unwrap().is_empty());
    });
}

/// The file's templates with a logical id and its type given otherwise.
fn renamed(mut built: Built, stack: &StackKey, from: &str, to: &str) -> Built {
    let template = built.rendered.templates.get_mut(stack).unwrap();
    template.body = template.body.replace(&format!("\"{from}\""), &format!("\"{to}\""));
    let wanted = built.graph.stacks.iter_mut().find(|one| one.key == *stack).unwrap();
    let resource = wanted.resources.remove(from).unwrap();
    wanted.resources.insert(to.to_owned(), resource);
    built
}

#[test]
fn a_logical_id_keeps_its_type() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let mysql = "engine: mysql, instance_class: db.t4g.medium, storage_gib: 50";
        let aurora = changed(mysql, "engine: aurora-mysql-serverless, min_acu: 0.5, max_acu: 4");
        let clash = renamed(aurora, &StackKey::Accounting, "DatabaseCluster", "Database");
        let found = refusals(&cloud, &clash).await;
        assert!(matches!(&found[0].what, Refused::Type { before, after }
            if before == "AWS::RDS::DBInstance" && after == "AWS::RDS::DBCluster"));
        let (answer, status) = forced(&cloud, &clash, &StackKey::Accounting).await;
        assert!(answer.unwrap_err().contains("Update of resource type is not permitted"));
        assert_eq!(status, StackStatus::CreateComplete);
    });
}

#[test]
fn the_same_thing_under_another_logical_id_is_refused() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let moved = renamed(lustre(), &StackKey::Storage, "PFileSystem", "PLustre");
        let found = refusals(&cloud, &moved).await;
        assert_eq!(found.len(), 1);
        assert!(matches!(&found[0].what, Refused::Renamed { before } if before == "PFileSystem"));
    });
}

#[test]
fn a_network_keeps_its_zones_and_addresses() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let network = |text: &str| changed("create: {}", &format!("create: {text}"));
        // The zones that exist anyway change no resource; slurm.conf says them now.
        let named = network("{ zones: [eu-west-1a, eu-west-1b] }");
        let plan = try_plan_for(&cloud, &named).await.unwrap();
        let files: Vec<&str> = plan.file_changes.iter().map(|file| file.path.as_str()).collect();
        assert!(plan.changes.is_empty() && files.iter().all(|file| file.starts_with("head/slurm")), "{files:?}");
        let more = network("{ zones: [eu-west-1a, eu-west-1b, eu-west-1c] }");
        let plan = try_plan_for(&cloud, &more).await.unwrap();
        assert_eq!(plan.count(Action::Replace), 0);
        assert_eq!(one(&plan, "network.private_subnet.2").action, Action::Create);
        // Others are refused, before anything is exported.
        let found = refusals(&cloud, &network("{ zones: [eu-west-1b, eu-west-1c] }")).await;
        let addresses: Vec<&str> = found.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(addresses, ["network.private_subnet.0", "network.private_subnet.1", "network.public_subnet.0"]);
        assert!(found.iter().all(|one| one.what.rule() == Some(Rule::PlaceStays)));
        assert_eq!(found[0].cause.as_ref().unwrap().path.to_string(), "network.create.zones[0]");
        let found = refusals(&cloud, &network("{ cidr: 10.43.0.0/16 }")).await;
        assert!(found.iter().any(|one| one.address == "network.vpc"));
        // Added zones settle, and leaving them out again changes nothing that exists.
        carry_out_well(&cloud, &plan).await;
        assert!(try_plan_for(&cloud, &more).await.unwrap().is_empty());
        let plain = try_plan_for(&cloud, &network("{ availability_zones: 3 }")).await.unwrap();
        assert!(plain.changes.is_empty(), "{:?}", plain.changes);
    });
}

/// Nobody promises the order of `Fn::GetAZs`: a subnet that exists says its zone as soon as its stack is changed.
#[test]
fn a_subnet_that_exists_names_its_zone() {
    on_sandbox(async {
        let cloud = made(&lustre()).await;
        let zones = async || {
            let template: serde_json::Value =
                serde_json::from_str(&cloud.stacks.template("lv-network").await.unwrap()).unwrap();
            let subnets = template["Resources"].as_object().unwrap().iter();
            let subnets = subnets.filter(|(_, one)| one["Type"] == "AWS::EC2::Subnet");
            subnets.map(|(id, one)| (id.clone(), one["Properties"]["AvailabilityZone"].clone())).collect::<Vec<_>>()
        };
        assert!(zones().await.iter().all(|(_, zone)| zone.is_object()), "when they are made CloudFormation chooses");
        let more = changed("create: {}", "create: { availability_zones: 3 }");
        let plan = try_plan_for(&cloud, &more).await.unwrap();
        let subnets = plan.changes.iter().filter(|change| change.resource_type == "AWS::EC2::Subnet");
        assert!(subnets.clone().all(|change| change.action == Action::Create) && plan.count(Action::Replace) == 0);
        carry_out_well(&cloud, &plan).await;
        for (id, zone) in zones().await {
            let new = id == "PrivateSubnet2";
            assert_eq!(zone.is_string(), !new, "{id}: {zone}");
        }
        assert!(try_plan_for(&cloud, &more).await.unwrap().is_empty());
    });
}

#[test]
fn policies_alone_are_applied_and_settle() {
    on_sandbox(async {
        let cases = [
            ("on_destroy: keep", "on_destroy: discard"),
            ("on_destroy: snapshot", "on_destroy: keep"),
            ("storage_gib: 50", "storage_gib: 50, on_destroy: keep"),
        ];
        for (from, to) in cases {
            let cloud = made(&lustre()).await;
            let other = changed(from, to);
            let plan = try_plan_for(&cloud, &other).await.unwrap();
            assert!(!plan.is_empty());
            carry_out_well(&cloud, &plan).await;
            let again = try_plan_for(&cloud, &other).await.unwrap();
            assert!(again.is_empty(), "{from}: {:?}", again.changes);
        }
    });
}

#[test]
fn text_that_is_not_ascii_settles() {
    on_sandbox(async {
        let named =
            |owner: &str| build("lv.yaml", &LUSTRE.replace("region:", &format!("tags: {{ owner: {owner} }}\nregion:")));
        let cloud = made(&named("München")).await;
        let plan = try_plan_for(&cloud, &named("Nürnberg")).await.unwrap();
        carry_out_well(&cloud, &plan).await;
        assert!(try_plan_for(&cloud, &named("Nürnberg")).await.unwrap().is_empty());
        for template in named("München").rendered.templates.values() {
            assert!(template.body.is_ascii());
        }
        // The double forgets as CloudFormation does.
        let body = r#"{"Description":"München","Resources":{"G":{"Type":"AWS::Logs::LogGroup"}}}"#;
        let input = hpcctl::cloud::StackInput {
            name: "raw".to_owned(),
            template: hpcctl::cloud::TemplateSource::Body(body.to_owned()),
            parameters: Default::default(),
            tags: Default::default(),
            token: "raw".to_owned(),
            termination_protection: false,
        };
        cloud.stacks.create(&input).await.unwrap();
        assert_eq!(cloud.stacks.template("raw").await.unwrap(), body.replace('ü', "?"));
    });
}

#[test]
fn tags_of_the_cluster_are_planned_and_replace_no_placement_group() {
    on_sandbox(async {
        let tagged = |value: &str| {
            build("lv.yaml", &LUSTRE.replace("region:", &format!("tags: {{ project: {value} }}\nregion:")))
        };
        let cloud = made(&tagged("a")).await;
        let plan = try_plan_for(&cloud, &tagged("b")).await.unwrap();
        assert_eq!(plan.count(Action::Replace), 0);
        let tags = |address: &str, path: &str| {
            one(&plan, address)
                .properties
                .iter()
                .any(|property| property.path == path && property.effect == Effect::InPlace)
        };
        assert!(tags("storage.s", "Tags/project") && tags("network.vpc", "Tags/project"));
        assert!(tags("queue.q.role", "Tags/project"));
        assert!(plan.changes.iter().all(|change| change.resource_type != "AWS::EC2::PlacementGroup"));
        // A tag of the resource's own goes before the stack's: it does not change.
        let named = |value: &str| {
            build("lv.yaml", &LUSTRE.replace("region:", &format!("tags: {{ Name: {value}, project: a }}\nregion:")))
        };
        let of_names = made(&named("one")).await;
        let other = try_plan_for(&of_names, &named("two")).await.unwrap();
        let renamed = |change: &&Change| change.properties.iter().any(|one| one.path == "Tags/Name");
        let renamed: Vec<&str> = other.changes.iter().filter(renamed).map(|change| change.address.as_str()).collect();
        // A rule of a group has no name of its own, the file system has.
        assert!(!renamed.is_empty() && !renamed.contains(&"storage.s"), "{renamed:?}");
        assert_eq!(one(&plan, "storage.s").properties[0].cause.as_ref().unwrap().path.to_string(), "tags.project");
        carry_out_well(&cloud, &plan).await;
        assert!(try_plan_for(&cloud, &tagged("b")).await.unwrap().is_empty());
        let live = look(&cloud, &tagged("b")).await;
        let of = |key: &StackKey| live.stacks[key].state.tags.contains_key("project");
        assert!(of(&StackKey::Storage) && !of(&StackKey::Queue("q".to_owned())));
    });
}

/// Which policy counts for what is replaced while its policy changes, no page says: the worse one does.
#[test]
fn a_policy_that_changes_with_a_replacement_counts_at_its_worst() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        carry_out_well(&cloud, &plan_for(&cloud, &lustre()).await).await;
        let replaced = "deployment: PERSISTENT_1, throughput_per_tib: 200, capacity_gib: 2400";
        let fate = async |after: &str| {
            let from = "deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 2400, on_destroy: keep";
            let plan = plan_for(&cloud, &changed(from, &format!("{replaced}, on_destroy: {after}"))).await;
            let change = plan.changes.iter().find(|change| change.address == "storage.p").unwrap();
            assert_eq!(change.action, Action::Replace);
            change.data.as_ref().unwrap().fate
        };
        assert_eq!(fate("keep").await, DataFate::Kept);
        assert_eq!(fate("discard").await, DataFate::Lost);
    });
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        let discarded = changed("capacity_gib: 2400, on_destroy: keep", "capacity_gib: 2400, on_destroy: discard");
        carry_out_well(&cloud, &plan_for(&cloud, &discarded).await).await;
        let kept = changed("PERSISTENT_2, throughput_per_tib: 125", "PERSISTENT_1, throughput_per_tib: 200");
        let plan = plan_for(&cloud, &kept).await;
        let change = plan.changes.iter().find(|change| change.address == "storage.p").unwrap();
        assert_eq!(change.data.as_ref().unwrap().fate, DataFate::Lost, "keep comes too late");
    });
}

/// A file system that is kept outside the cluster is cut off from the nodes all the same: jobs end and it is unmounted before
/// its mount targets and rules go.
#[test]
fn a_file_system_that_is_kept_comes_to_rest_before_it_is_cut_off() {
    on_sandbox(async {
        let cloud = hpcctl::cloud::sandbox::in_memory(REGION);
        carry_out_well(&cloud, &plan_for(&cloud, &lustre()).await).await;
        let entry = "  - { name: p, mount: /p, fsx_lustre: { deployment: PERSISTENT_2, throughput_per_tib: 125, capacity_gib: 2400, on_destroy: keep } }\n";
        let replaced = changed("PERSISTENT_2, throughput_per_tib: 125", "PERSISTENT_1, throughput_per_tib: 200");
        for after in [changed(entry, ""), replaced] {
            let plan = plan_for(&cloud, &after).await;
            let at = |wanted: fn(&StepAction) -> bool| plan.steps.iter().position(|step| wanted(&step.action));
            let hold = at(|action| matches!(action, StepAction::HoldQueues { .. })).unwrap();
            let release = at(|action| matches!(action, StepAction::Release { .. })).unwrap();
            let storage =
                at(|action| matches!(action, StepAction::UpdateStack { stack } if *stack == StackKey::Storage))
                    .unwrap();
            assert!(hold < release && release < storage, "{:?}", plan.steps);
            assert!(plan.steps[storage].after.iter().any(|before| *before > release), "{:?}", plan.steps);
            assert!(at(|action| matches!(action, StepAction::OpenQueues)).is_some());
            assert_eq!(plan.losses().count(), 0);
        }
        carry_out_well(&cloud, &plan_for(&cloud, &changed(entry, "")).await).await;
        assert!(plan_for(&cloud, &changed(entry, "")).await.is_empty());
    });
}
