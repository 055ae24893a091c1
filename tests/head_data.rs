//! The head node's data on the sandbox: it outlives the head node, whatever becomes of that.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use hpcctl::{
    catalog::ResourceCatalog,
    cloud::{
        Cloud, Compute, ErrorKind, VolumeState,
        sandbox::{Fail, Fault, Launch, Sandbox, Target, Verb},
    },
    model::{DataHolding, StackKey},
    node::{self, Cluster, Event, NodeError},
    observe::Live,
    plan::{self, Action, Change, DataFate, Desired, DestroyOptions, Effect, Plan, Source, StepAction},
    report::{
        paint::Paint,
        plan_text::{PlanView, plan_text},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use support::{
    Built, build, carry_out, carry_out_well,
    head::{CLUSTER, Head, lines},
    look, on_sandbox, plan_destroy, plan_for,
};

const REGION: &str = "eu-west-1";

/// A cluster with a volume of `storage`, too.
const WITH_VOLUME: &str = "storage:\n  - { name: tools, mount: /tools, ebs: { size_gib: 50 } }\n";

fn cluster(more: &str) -> Built {
    build("head.yaml", &format!("{CLUSTER}{more}"))
}

/// The same with another image: the head node must be replaced.
fn another_image(more: &str) -> Built {
    cluster(&format!("{more}image: {{ os: ubuntu2404, ami: ami-0aaaabbbbccccdddd }}\n"))
}

fn head_change(plan: &Plan) -> &Change {
    plan.changes.iter().find(|change| change.address == "head.instance").unwrap()
}

fn plan_for_source(built: &Built) -> Source {
    Source { name: built.document.name.clone(), sha256: String::new(), text: built.document.text.clone() }
}

async fn head_of(cloud: &Cloud, built: &Built) -> String {
    plan::head_id(&look(cloud, built).await).unwrap().to_owned()
}

async fn holders(cloud: &Cloud) -> Vec<Option<String>> {
    let volumes = cloud.compute.volumes_of("head").await.unwrap();
    volumes.into_iter().map(|one| one.attachment.map(|held| held.instance)).collect()
}

fn place(plan: &Plan, wanted: impl Fn(&StepAction) -> bool) -> usize {
    plan.steps.iter().position(|step| wanted(&step.action)).unwrap()
}

#[test]
fn a_head_node_is_replaced_without_loss() {
    on_sandbox(async {
        for more in ["", WITH_VOLUME, "deletion_protection: true\n"] {
            let cloud = Sandbox::in_memory(REGION).cloud();
            let built = cluster(more);
            carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
            let old = head_of(&cloud, &built).await;
            assert!(holders(&cloud).await.iter().all(|held| held.as_ref() == Some(&old)), "{more}");

            let after = another_image(more);
            let plan = plan_for(&cloud, &after).await;
            let change = head_change(&plan);
            assert_eq!((change.action, &change.data), (Action::Replace, &None), "{more}");
            assert_eq!(plan.losses().count(), 0);
            // It stops, lets go, and only then another one is made, which finds its files.
            let stop = place(&plan, |action| matches!(action, StepAction::StopHead { .. }));
            let StepAction::StopHead { instance, volumes, protected } = &plan.steps[stop].action else { panic!() };
            assert_eq!((instance, *protected), (&old, more.contains("protection")));
            assert_eq!(volumes.len(), if more == WITH_VOLUME { 2 } else { 1 });
            let publish = place(&plan, |action| *action == StepAction::Publish { last: false });
            let update = place(&plan, |action| *action == StepAction::UpdateStack { stack: StackKey::Head });
            assert!(plan.steps[publish].after.contains(&(stop + 1)));
            assert!(plan.steps[update].after.contains(&(publish + 1)));
            let text = plan_text(&plan, PlanView { paint: Paint::PLAIN, verbose: false });
            assert!(text.contains("stop the head node and take its volumes"), "{text}");
            assert!(text.contains("jobs run on and wait for the new one") && !text.contains("data at stake"), "{text}");

            carry_out_well(&cloud, &plan).await;
            let new = head_of(&cloud, &after).await;
            assert_ne!(new, old);
            assert!(holders(&cloud).await.iter().all(|held| held.as_ref() == Some(&new)), "{more}");
            // No second head node, protected or not.
            cloud.clock.sleep(Duration::from_secs(120)).await;
            let left = cloud.compute.instances_of("head").await.unwrap();
            assert_eq!(left.iter().map(|one| &one.id).collect::<Vec<_>>(), [&new], "{more}");
            assert!(plan_for(&cloud, &after).await.is_empty());
        }
    });
}

#[test]
fn the_old_head_node_is_started_again_when_the_new_one_fails() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory(REGION);
        let cloud = sandbox.cloud();
        let built = cluster("deletion_protection: true\n");
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let old = head_of(&cloud, &built).await;
        let target = Target { logical_id: Some("HeadInstance".to_owned()), ..Target::default() };
        let reason = Some("We currently do not have sufficient capacity".to_owned());
        sandbox.add_fault(Fault::Fail(Fail { target, on: Verb::Create, reason, times: Some(1) }));
        let after = another_image("deletion_protection: true\n");
        let plan = plan_for(&cloud, &after).await;
        let applied = carry_out(&cloud, &plan).await;
        assert!(!applied.failed.is_empty());
        assert_eq!(head_of(&cloud, &built).await, old);
        let all = cloud.compute.instances_of("head").await.unwrap();
        let head = all.iter().find(|one| one.id == old).unwrap();
        assert!(head.is_alive(), "{}", head.state);
        assert_eq!(holders(&cloud).await, [Some(old.clone())]);
        let refused = cloud.compute.terminate(std::slice::from_ref(&old)).await.unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("OperationNotPermitted"), "it is protected again");
        // The same goes through when the capacity is back.
        carry_out_well(&cloud, &plan_for(&cloud, &after).await).await;
        assert_ne!(head_of(&cloud, &after).await, old);
    });
}

/// A cluster as it was before there was a volume: no such resource in its storage stack.
fn without_volume(mut live: Live) -> Live {
    let storage = live.stacks.get_mut(&StackKey::Storage).unwrap();
    storage.resources.retain(|one| one.logical_id != "HeadData");
    storage.template["Resources"].as_object_mut().unwrap().remove("HeadData");
    storage.state.outputs.remove("HeadDataId");
    live.volumes.clear();
    live
}

fn plan_against(live: &Live, built: &Built) -> Plan {
    let desired = Desired { document: &built.document, graph: &built.graph, rendered: &built.rendered };
    plan::plan(&desired, live, &ResourceCatalog::embedded()).unwrap()
}

#[test]
fn data_on_the_root_volume_is_at_stake() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let built = cluster("");
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let live = without_volume(look(&cloud, &built).await);
        let lost = |plan: &Plan| {
            let data = head_change(plan).data.clone().unwrap();
            assert_eq!((data.holding, data.fate), (DataHolding::HeadNode { home: true }, DataFate::Lost));
            assert_eq!(plan.losses().map(|change| change.address.as_str()).collect::<Vec<_>>(), ["head.instance"]);
        };
        lost(&plan_against(&live, &another_image("")));
        let source = plan_for_source(&built);
        lost(&plan::destroy("head", REGION, source, &live, &DestroyOptions::default()).unwrap());
        // The plan that makes the volume says what is to be done, and touches nothing.
        let over = plan_against(&live, &built);
        assert!(over.impact.head_data_on_root && over.losses().next().is_none());
        assert!(over.changes.iter().any(|one| one.address == "storage.head_data" && one.action == Action::Create));
        let text = plan_text(&over, PlanView { paint: Paint::PLAIN, verbose: false });
        assert!(text.contains("still on its root volume") && text.contains("setup.sh update"), "{text}");
        let replaced =
            plan_text(&plan_against(&live, &another_image("")), PlanView { paint: Paint::PLAIN, verbose: false });
        assert!(
            replaced.contains("data loss: home directories and Slurm's jobs, still on its root volume"),
            "{replaced}"
        );
        assert!(replaced.contains("log-ins and running jobs end"), "{replaced}");
    });
}

#[test]
fn a_volume_that_the_head_node_has_not_taken_holds_nothing_yet() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let built = cluster("");
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let mut live = look(&cloud, &built).await;
        assert!(!plan::data_on_root(&live));
        // Free, beside a head node that runs and is older: what is on the root volume has not moved.
        live.volumes[0].attachment = None;
        live.volumes[0].created = live.at;
        assert!(plan::data_on_root(&live));
        // Younger: it was made to put its data there.
        live.volumes[0].created.0 = 0;
        assert!(!plan::data_on_root(&live));
        // Free because `apply` stopped the head node.
        live.volumes[0].created = live.at;
        let id = plan::head_id(&live).unwrap().to_owned();
        live.instances.iter_mut().find(|one| one.id == id).unwrap().state = "stopped".to_owned();
        assert!(!plan::data_on_root(&live));
    });
}

#[test]
fn destroy_makes_a_snapshot_of_the_data_or_does_what_the_file_says() {
    on_sandbox(async {
        for (wish, fate, stays) in [
            ("snapshot", DataFate::SnapshotFirst, &["snapshot"][..]),
            ("keep", DataFate::Kept, &["volume"]),
            ("discard", DataFate::Lost, &[]),
        ] {
            let cloud = Sandbox::in_memory(REGION).cloud();
            let text = CLUSTER.replace("c5.large }", &format!("c5.large, data_volume: {{ on_destroy: {wish} }} }}"));
            let built = build("head.yaml", &text);
            carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
            let plan = plan_destroy(&cloud, &built).await;
            let change = plan.changes.iter().find(|change| change.address == "storage.head_data").unwrap();
            let data = change.data.as_ref().unwrap();
            assert_eq!((&data.holding, data.fate), (&DataHolding::HeadData { size_gib: 100, home: true }, fate));
            carry_out_well(&cloud, &plan).await;
            // Tags lag behind deletions: what is asked by its id is not there any more.
            let left = cloud.compute.tagged("head").await.unwrap();
            let left = cloud.compute.still_there(left).await.unwrap();
            let kinds: Vec<&str> = left.iter().map(|one| one.kind.as_str()).collect();
            assert_eq!(kinds, stays);
        }
    });
}

#[test]
fn the_data_volume_grows_in_place() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let size = |gib: u32| {
            build(
                "head.yaml",
                &CLUSTER.replace("c5.large }", &format!("c5.large, data_volume: {{ size_gib: {gib} }} }}")),
            )
        };
        carry_out_well(&cloud, &plan_for(&cloud, &size(100)).await).await;
        let before = cloud.compute.volumes_of("head").await.unwrap();
        let plan = plan_for(&cloud, &size(200)).await;
        let change = plan.changes.iter().find(|change| change.address == "storage.head_data").unwrap();
        assert_eq!((change.action, change.properties[0].effect), (Action::Update, Effect::InPlace));
        assert!(change.data.is_none());
        // The head node's file says the new size: its file system grows when it takes the revision.
        assert!(plan.file_changes.iter().any(|file| file.path == "head/hpcctl.json"));
        carry_out_well(&cloud, &plan).await;
        let after = cloud.compute.volumes_of("head").await.unwrap();
        assert_eq!((&after[0].id, after[0].size_gib), (&before[0].id, 200));
        assert_eq!(after[0].attachment, before[0].attachment);
    });
}

#[test]
fn with_a_file_system_at_home_the_volume_is_small() {
    let built = cluster("storage:\n  - { name: home, mount: /home, efs: {} }\n");
    let storage = &built.graph.stacks.iter().find(|stack| stack.key == StackKey::Storage).unwrap().resources;
    assert_eq!(storage["HeadData"].holds, Some(DataHolding::HeadData { size_gib: 10, home: false }));
}

fn another_head(head: &Head, sandbox: &Sandbox) -> (String, Cloud) {
    let tags = [("hpcctl:cluster", "head"), ("hpcctl:role", "head")];
    let tags: BTreeMap<String, String> = tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let subnet = head.cluster.config.queues[0].pools[0].subnets[0].replace("0b1c2d3e4f5a67891", "0a1b2c3d4e5f67890");
    let id =
        sandbox.launch(Launch { instance_type: "c5.large".to_owned(), subnet, tags, ..Launch::default() }).unwrap();
    let cloud = sandbox.on_instance(&id).cloud();
    (id, cloud)
}

async fn volume(cloud: &Cloud) -> VolumeState {
    cloud.compute.volumes_of("head").await.unwrap().remove(0)
}

fn attach_on(cloud: &Cloud, cluster: &Cluster) -> (Result<Vec<node::Attached>, NodeError>, Vec<Event>) {
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    let result = on_sandbox(node::attach(cloud, cluster, &[], &mut keep));
    (result, events)
}

#[test]
fn a_new_head_node_waits_for_the_volume_of_the_old_one() {
    let head = Head::of("attach", CLUSTER);
    let (id, there) = another_head(&head, &head.sandbox);
    on_sandbox(async {
        let held = volume(&head.cloud).await;
        let lets_go = async {
            head.cloud.clock.sleep(Duration::from_secs(300)).await;
            head.cloud.compute.detach_volume(&held.id).await.unwrap();
        };
        let mut events = Vec::new();
        let mut keep = |event| events.push(event);
        let (attached, ()) = tokio::join!(node::attach(&there, &head.cluster, &[], &mut keep), lets_go);
        let attached = attached.unwrap();
        assert_eq!((attached[0].name.as_str(), attached[0].volume.as_str()), ("head_data", held.id.as_str()));
        assert!(volume(&head.cloud).await.is_attached_to(&id));
        let lines = lines(&events);
        assert!(lines[0].contains("waiting for vol-") && lines[0].contains("attached to i-"), "{lines:?}");
        assert!(lines.last().unwrap().contains("attached vol-"), "{lines:?}");
    });
    // Once more changes nothing.
    let (again, events) = attach_on(&there, &head.cluster);
    assert_eq!((again.unwrap().len(), events.len()), (1, 0));
}

#[test]
fn a_volume_that_never_comes_is_an_error_with_its_holder() {
    let head = Head::of("never", CLUSTER);
    let (_, there) = another_head(&head, &head.sandbox);
    let (result, _) = attach_on(&there, &head.cluster);
    let words = result.unwrap_err().to_string();
    assert!(words.contains("is not here after 15 min: attached to i-"), "{words}");
}

#[test]
fn the_address_moves_to_the_next_head_node() {
    let head = Head::of("address", CLUSTER);
    let first_id = on_sandbox(head_of(&head.people, &head.built));
    let first = head.sandbox.on_instance(&first_id).cloud();
    let (second_id, second) = another_head(&head, &head.sandbox);
    on_sandbox(async {
        let mut events = Vec::new();
        let mut keep = |event| events.push(event);
        let address = node::head_address(&first, &head.cluster, &mut keep).await.unwrap();
        assert_eq!(node::head_address(&first, &head.cluster, &mut keep).await.unwrap(), address, "it stays");
        let interface = first.compute.interface_of(&first_id).await.unwrap().unwrap();
        assert_ne!(interface.primary, address, "the instance's own address cannot move");
        // The nodes read it where the head node writes it, which it does when it answers there.
        let (bucket, key) = (head.cluster.bucket().unwrap(), "clusters/head/launches/head.json");
        assert!(head.people.objects.get(bucket, key).await.unwrap().is_none(), "nobody is told too early");
        node::publish_address(&first, &head.cluster, &address, &mut keep).await.unwrap();
        let (text, _) = head.cloud.objects.get(bucket, key).await.unwrap().unwrap();
        let written: node::HeadAddress = serde_json::from_slice(&text).unwrap();
        assert_eq!(written.address, address);

        assert_eq!(node::head_address(&second, &head.cluster, &mut keep).await.unwrap(), address);
        let of = async |id: &str| head.people.compute.interface_of(id).await.unwrap().unwrap().secondary;
        assert_eq!((of(&first_id).await, of(&second_id).await), (vec![], vec![address.clone()]));
        assert_eq!(lines(&events).len(), 2, "{:?}", lines(&events));
    });
}

#[test]
fn an_address_of_another_subnet_is_given_up_with_a_word() {
    let head = Head::of("other-subnet", CLUSTER);
    let first_id = on_sandbox(head_of(&head.people, &head.built));
    let first = head.sandbox.on_instance(&first_id).cloud();
    let tags = [("hpcctl:cluster", "head"), ("hpcctl:role", "head")];
    let tags: BTreeMap<String, String> = tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let subnet = "subnet-0ffffffffffffffff".to_owned();
    let elsewhere = head.sandbox.launch(Launch { subnet, tags, ..Launch::default() }).unwrap();
    let there = head.sandbox.on_instance(&elsewhere).cloud();
    on_sandbox(async {
        let mut events = Vec::new();
        let mut keep = |event| events.push(event);
        let before = node::head_address(&first, &head.cluster, &mut keep).await.unwrap();
        node::publish_address(&first, &head.cluster, &before, &mut keep).await.unwrap();
        let after = node::head_address(&there, &head.cluster, &mut keep).await.unwrap();
        assert_ne!(after, before);
        assert!(lines(&events)[1].contains(&format!("{before} cannot be taken over")), "{:?}", lines(&events));
    });
}

/// The address by which nodes know the head node stays in its subnet: before the head node moves to another one, jobs end
/// and their nodes with them, and login nodes are launched anew. A head node that cannot be asked loses the jobs, and the
/// plan says it. AW-12.
#[test]
fn a_head_node_that_moves_leaves_no_node_behind() {
    let login = "login_nodes: [{ name: in, instance_type: c5.large, count: 1, ssh_from: [203.0.113.0/24] }]\n";
    let moved = |text: &str| text.replace("subnet-0a1b2c3d4e5f67890", "subnet-0b1c2d3e4f5a67891");
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let text = format!("{CLUSTER}{login}");
        let built = build("head.yaml", &text);
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let old = head_of(&cloud, &built).await;
        let after = build("head.yaml", &moved(&text));
        let plan = plan_for(&cloud, &after).await;
        assert_eq!(head_change(&plan).action, Action::Replace);
        let hold = place(&plan, |action| matches!(action, StepAction::HoldQueues { queues } if queues == &["q"]));
        let stop = place(&plan, |action| matches!(action, StepAction::StopHead { .. }));
        assert!(plan.steps[stop].after.contains(&(hold + 1)), "{:?}", plan.steps);
        place(&plan, |action| matches!(action, StepAction::OpenQueues));
        let logins = place(&plan, |action| matches!(action, StepAction::ReplaceLogins { .. }));
        assert!(logins > stop);
        let text = plan_text(&plan, PlanView { paint: Paint::PLAIN, verbose: false });
        let says = |words: &str| assert!(text.contains(words), "{text}");
        says("its address does not come along to another subnet");
        says("jobs that run in q end first, those that wait start afterwards");
        assert!(!text.contains("jobs run on and wait for the new one"), "{text}");
        carry_out_well(&cloud, &plan).await;
        assert_ne!(head_of(&cloud, &after).await, old);
        assert!(plan_for(&cloud, &after).await.is_empty());

        // Back again, by a head node that is stopped: nobody would hold its queues.
        let now = head_of(&cloud, &after).await;
        cloud.compute.stop(&now).await.unwrap();
        cloud.clock.sleep(Duration::from_secs(120)).await;
        let plan = plan_for(&cloud, &built).await;
        let holds = |step: &plan::Step| matches!(step.action, StepAction::HoldQueues { .. });
        assert!(!plan.steps.iter().any(holds), "{:?}", plan.steps);
        let text = plan_text(&plan, PlanView { paint: Paint::PLAIN, verbose: false });
        assert!(text.contains("jobs that run are lost with their nodes"), "{text}");
    });
}

#[test]
fn ec2_says_no_as_ec2_does() {
    let head = Head::of("refusals", CLUSTER);
    let (id, _) = another_head(&head, &head.sandbox);
    on_sandbox(async {
        let held = volume(&head.people).await;
        let compute: &dyn Compute = &*head.people.compute;
        let taken = compute.attach_volume(&held.id, &id, "/dev/sdf").await.unwrap_err();
        assert_eq!((taken.kind, taken.code.as_deref()), (ErrorKind::Busy, Some("VolumeInUse")));
        assert_eq!(taken.message, format!("{} is already attached to an instance", held.id));
        let old = held.attachment.unwrap().instance;
        compute.stop(&old).await.unwrap();
        assert_eq!(compute.instances(std::slice::from_ref(&old)).await.unwrap()[0].state, "stopping");
        head.cloud.clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(compute.instances(std::slice::from_ref(&old)).await.unwrap()[0].state, "stopped");
        assert_eq!(volume(&head.people).await.attachment.unwrap().instance, old, "stopping lets nothing go");
        compute.protect_instance(&old, true).await.unwrap();
        let guarded = compute.terminate(std::slice::from_ref(&old)).await.unwrap_err();
        assert!(guarded.message.contains("may not be terminated"), "{guarded}");
        let primary = compute.interface_of(&old).await.unwrap().unwrap().primary;
        let interface = compute.interface_of(&id).await.unwrap().unwrap();
        let fixed = compute.assign_address(&interface.id, Some(&primary)).await.unwrap_err();
        assert_eq!(fixed.kind, ErrorKind::Invalid);
    });
}

const FAST_DISK: &str = "head_node: { instance_type: c5.xlarge, root_volume: { size_gib: 60, throughput_mib: 250 } }\n";

/// A tag of the head node's launch template is no new version of it.
#[test]
fn a_tag_does_not_replace_a_head_node_with_a_launch_template() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let text: Vec<&str> = CLUSTER.lines().filter(|line| !line.starts_with("head_node:")).collect();
        let with = |more: &str| build("head.yaml", &format!("{}\n{FAST_DISK}{more}", text.join("\n")));
        carry_out_well(&cloud, &plan_for(&cloud, &with("")).await).await;
        let old = head_of(&cloud, &with("")).await;
        let tagged = with("tags: { team: a }\n");
        let plan = plan_for(&cloud, &tagged).await;
        assert_eq!(plan.count(Action::Replace), 0);
        assert!(!plan.steps.iter().any(|step| matches!(step.action, StepAction::StopHead { .. })));
        carry_out_well(&cloud, &plan).await;
        assert_eq!(head_of(&cloud, &tagged).await, old);
        assert!(plan_for(&cloud, &tagged).await.is_empty());
        // Its launch parameters are.
        let faster = build("head.yaml", &format!("{}\n{}", text.join("\n"), FAST_DISK.replace("250", "300")));
        assert_eq!(head_change(&plan_for(&cloud, &faster).await).action, Action::Replace);
    });
}

/// A head node that was stopped to be replaced, and that CloudFormation then leaves, runs again with its volumes.
#[test]
fn a_head_node_that_is_not_replaced_after_all_is_started() {
    on_sandbox(async {
        let cloud = Sandbox::in_memory(REGION).cloud();
        let built = cluster("");
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let old = head_of(&cloud, &built).await;
        let tagged = cluster("tags: { team: a }\n");
        let desired = Desired { document: &tagged.document, graph: &tagged.graph, rendered: &tagged.rendered };
        let says = BTreeMap::from([(StackKey::Head, BTreeSet::from(["HeadInstance".to_owned()]))]);
        let live = look(&cloud, &tagged).await;
        let plan = plan::plan_predicted(&desired, &live, &ResourceCatalog::embedded(), &says).unwrap();
        assert_eq!(head_change(&plan).action, Action::Replace);
        carry_out_well(&cloud, &plan).await;
        let live = look(&cloud, &tagged).await;
        assert_eq!(plan::head_id(&live), Some(old.as_str()));
        assert_eq!(live.instances.iter().find(|one| one.id == old).unwrap().state, "running");
        assert!(holders(&cloud).await.iter().all(|held| held.as_ref() == Some(&old)));
    });
}
