//! `hpcctl node sync` on the sandbox: what a pass finds, does, and says.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use hpcctl::{
    cloud::{
        PutCondition, Timestamp,
        sandbox::{CallError, CallErrorKind, Fault, NoCapacity},
    },
    node::{
        self, Answer, Event, FleetOrder, Ledger, Machine, Order, OrderDocument, Pools, QueueOrder, StorageOrder,
        answer_key, hostlist, orders_prefix, parse_resume_file,
        sync::{HoldWhy, Memory, Place, pass},
    },
    observe::{HeldWhy, NodeReport, SlurmReport, keys},
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    time::Duration,
};
use support::{
    head::{CLUSTER, Head, lines},
    on_sandbox, plan_for,
};

const RISING: &str = "ALLOCATED+CLOUD+NOT_RESPONDING+POWERING_UP";
const ASLEEP: &str = "IDLE+CLOUD+POWERED_DOWN";

fn place(head: &Head) -> Place {
    let logs = head.beside("logs");
    fs::create_dir_all(&logs).unwrap();
    let machine = Machine {
        proc: head.beside("proc"),
        fstab: head.beside("fstab"),
        exports: head.beside("exports"),
        path: Some(format!("{}:/usr/bin:/bin", head.bin.display())),
        ..Machine::default()
    };
    Place { tree: head.beside("node"), program: head.beside("hpcctl"), logs, machine }
}

/// One pass; what it said.
fn sync(head: &Head) -> Vec<String> {
    let mut events = Vec::new();
    let mut keep = |event: Event| events.push(event);
    on_sandbox(pass(&head.cloud, &head.cluster, &head.home, &place(head), &mut keep)).unwrap();
    lines(&events)
}

/// What slurmctld was told, without what it was asked.
fn told(head: &Head) -> Vec<String> {
    head.calls().into_iter().filter(|call| call.starts_with("update")).collect()
}

fn resume(head: &Head, list: &str) {
    let nodes = hostlist::expand(list).unwrap();
    let jobs = parse_resume_file(None, &nodes, &mut |_| {});
    on_sandbox(node::resume(&head.cloud, &head.cluster, &head.home, jobs, &mut |_| {})).unwrap();
    head.calls();
}

fn wait(head: &Head, seconds: u64) {
    head.sandbox.advance(Duration::from_secs(seconds));
}

fn bucket(head: &Head) -> String {
    head.cluster.bucket().unwrap().to_owned()
}

fn object(head: &Head, key: &str) -> Option<Vec<u8>> {
    on_sandbox(head.people.objects.get(&bucket(head), key)).unwrap().map(|(body, _)| body)
}

fn put(head: &Head, key: &str, body: impl Into<Vec<u8>>) {
    on_sandbox(head.people.objects.put(&bucket(head), key, body.into(), PutCondition::Always)).unwrap();
}

fn report(head: &Head) -> SlurmReport {
    SlurmReport::parse(&object(head, &keys::slurm_report("head")).unwrap()).unwrap()
}

fn order(head: &Head, id: &str, order: Order) {
    let document = OrderDocument::new(id.to_owned(), Timestamp(1_767_225_600), "arn:aws:iam::1:user/a".into(), order);
    put(head, &document.key("head"), serde_json::to_vec(&document).unwrap());
}

#[test]
fn a_cluster_in_order_is_left_alone_and_nodes_get_their_names() {
    let head = Head::of("order", CLUSTER);
    resume(&head, "q-od-[1-2]");
    head.show_each(&[("q-od-1", "ALLOCATED+CLOUD", ""), ("q-od-2", "IDLE+CLOUD", ""), ("q-od-3", ASLEEP, "")]);
    head.say("jobs", "7|RUNNING|q|None|q-od-1\n8|PENDING|q|Resources|\n");
    assert_eq!(sync(&head), Vec::<String>::new());
    assert_eq!(told(&head), Vec::<String>::new());
    let mut names: Vec<String> = head.instances().iter().map(|one| one.tags["Name"].clone()).collect();
    names.sort();
    assert_eq!(names, ["head q-od-1", "head q-od-2"]);
    let report = report(&head);
    let queue = report.queue("q").unwrap();
    assert_eq!((queue.running, queue.pending, queue.busy_nodes, queue.state.as_str()), (1, 1, 1, "up"));
    assert_eq!(report.nodes(NodeReport::PoweredDown), 1);
    let metrics = fs::read_to_string(head.beside("logs/metrics.log")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(metrics.trim()).unwrap();
    assert_eq!(
        (&metrics["NodesAllocated"], &metrics["JobsPending"], &metrics["Cluster"]),
        (&1.into(), &1.into(), &"head".into())
    );
    assert_eq!(metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"], "hpcctl");
}

#[test]
fn a_resume_that_died_before_it_wrote_anything_is_done_for_it() {
    let head = Head::of("killed-early", CLUSTER);
    head.show_each(&[("q-od-1", RISING, ""), ("q-od-2", RISING, "")]);
    head.say("jobs", "7|CONFIGURING|q|None|q-od-[1-2]\n");
    assert_eq!(sync(&head), Vec::<String>::new(), "it may be at it");
    wait(&head, 31);
    let said = sync(&head);
    assert_eq!(said.last().unwrap(), "launched q-od-[1-2] again: nobody had");
    assert_eq!(head.instances().len(), 2);
    assert!(told(&head)[0].starts_with("update nodename=q-od-[1-2] nodeaddr="));
    wait(&head, 31);
    assert_eq!(sync(&head), Vec::<String>::new());
    assert_eq!(head.instances().len(), 2, "once");
}

#[test]
fn a_resume_that_died_in_the_middle_leaves_nothing_behind() {
    let head = Head::of("killed-late", CLUSTER);
    resume(&head, "q-od-[1-3]");
    // As if it had died when it had assigned one of three: the launch wants them all, and its lock is free.
    let mut launch = Ledger::new(&head.home).launches().unwrap().remove(0);
    let (kept, _) = launch.nodes.iter().find(|(_, node)| node.name == "q-od-1").unwrap();
    let kept = kept.clone();
    launch.wanted = hostlist::expand("q-od-[1-3]").unwrap();
    launch.nodes.retain(|id, _| *id == kept);
    let file = head.home.state.join(format!("launches/{}.json", launch.launch));
    fs::write(file, serde_json::to_string(&launch).unwrap()).unwrap();
    fs::write(head.home.state.join("launches/stray.lock"), "").unwrap();
    on_sandbox(head.people.objects.delete(&bucket(&head), &head.cluster.launch_key(&launch.launch))).unwrap();
    head.show("q-od-[1-3]", RISING);
    let said = sync(&head);
    assert!(said[0].starts_with("finished launch") && said[0].ends_with(": q-od-1"), "{said:?}");
    assert!(said[1].ends_with("the program that launched them died") && said[2].starts_with("closed launch"));
    let left: Vec<String> = head.instances().into_iter().map(|one| one.id).collect();
    assert_eq!(left, [kept]);
    assert_eq!(told(&head).len(), 1, "one address");
    assert!(object(&head, &head.cluster.launch_key(&launch.launch)).is_some(), "the node learns its name");
    assert!(!head.home.state.join("launches/stray.lock").exists());
    wait(&head, 31);
    assert_eq!(sync(&head).last().unwrap(), "launched q-od-[2-3] again: nobody had");
    assert_eq!(head.instances().len(), 3);
}

#[test]
fn a_lost_instance_gives_its_node_up() {
    let head = Head::of("lost", CLUSTER);
    resume(&head, "q-od-[1-2]");
    head.show("q-od-[1-2]", "ALLOCATED+CLOUD");
    sync(&head);
    told(&head);
    let victim = head.instances().into_iter().find(|one| one.tags["Name"] == "head q-od-2").unwrap().id;
    on_sandbox(head.cloud.compute.terminate(&[victim])).unwrap();
    assert_eq!(sync(&head), ["gave q-od-2 up: the instance is gone"]);
    let told = told(&head);
    assert!(told[0].contains("state=down reason=hpcctl: its instance is gone"), "{told:?}");
    assert_eq!(told[1], "update nodename=q-od-2 state=power_down_force");
    let known: Vec<String> =
        Ledger::new(&head.home).launches().unwrap()[0].nodes.values().map(|node| node.name.clone()).collect();
    assert_eq!(known, ["q-od-1"]);
    head.show_each(&[("q-od-1", "ALLOCATED+CLOUD", ""), ("q-od-2", "IDLE+CLOUD+POWERING_DOWN", "")]);
    assert_eq!(sync(&head), Vec::<String>::new());
}

#[test]
fn a_lost_ledger_is_read_back() {
    for named in [false, true] {
        let head = Head::of(&format!("ledger-{named}"), CLUSTER);
        resume(&head, "q-od-[1-2]");
        head.show("q-od-[1-2]", "ALLOCATED+CLOUD");
        let before = Ledger::new(&head.home).launches().unwrap();
        if named {
            // Even without the object: names are on the instances.
            sync(&head);
            let key = head.cluster.launch_key(&before[0].launch);
            on_sandbox(head.people.objects.delete(&bucket(&head), &key)).unwrap();
        }
        fs::remove_dir_all(&head.home.state).unwrap();
        fs::create_dir(&head.home.state).unwrap();
        let said = sync(&head);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].ends_with("was lost and read back: q-od-[1-2]"), "{said:?}");
        let after = Ledger::new(&head.home).launches().unwrap();
        assert_eq!((&after[0].nodes, head.instances().len()), (&before[0].nodes, 2));
    }
}

#[test]
fn instances_end_with_their_nodes_and_objects_with_their_launches() {
    let head = Head::of("ends", CLUSTER);
    resume(&head, "q-od-[1-2]");
    let key = head.cluster.launch_key(&Ledger::new(&head.home).launches().unwrap()[0].launch);
    assert!(object(&head, &key).is_some());
    head.show("q-od-[1-2]", ASLEEP);
    let said = sync(&head);
    assert!(said[0].ends_with("their nodes are powered down"), "{said:?}");
    assert!(head.instances().is_empty() && Ledger::new(&head.home).launches().unwrap().is_empty());
    wait(&head, 700);
    sync(&head);
    assert!(object(&head, &key).is_none());
}

#[test]
fn a_pool_rests_and_wakes() {
    let head = Head::of("rests", CLUSTER);
    head.show("q-od-[1-5]", ASLEEP);
    head.sandbox.add_fault(Fault::NoCapacity(NoCapacity::default()));
    resume(&head, "q-od-1");
    // slurmctld powers the first up, and forgets about the fourth.
    let lack = "hpcctl: no capacity (Code:InsufficientInstanceCapacity)";
    head.show_each(&[
        ("q-od-1", "DOWN+CLOUD+NOT_RESPONDING+POWERING_UP", lack),
        ("q-od-2", "DOWN+CLOUD+POWERED_DOWN", lack),
        ("q-od-4", ASLEEP, ""),
    ]);
    sync(&head);
    let seen = told(&head);
    assert_eq!(seen[0], "update nodename=q-od-1 state=power_down_force");
    assert_eq!(seen[1], format!("update nodename=q-od-4 state=down reason={lack}"));
    assert_eq!(report(&head).queue("q").unwrap().pools[0].rest.as_ref().unwrap().code, "InsufficientInstanceCapacity");
    head.show("q-od-[1-5]", "DOWN+CLOUD+POWERED_DOWN");
    head.show_each(&[("q-od-1", "DOWN+CLOUD+POWERED_DOWN", lack), ("q-od-4", "DOWN+CLOUD+POWERED_DOWN", lack)]);
    assert_eq!(sync(&head), Vec::<String>::new());
    wait(&head, 601);
    assert_eq!(sync(&head), ["q/od have rested", "q-od-[1,4] can be used again"]);
    assert_eq!(told(&head), ["update nodename=q-od-[1,4] state=idle"]);
    assert!(Pools::read(&head.home).unwrap().resting.is_empty());
}

#[test]
fn a_queue_whose_nodes_fail_is_protected_until_somebody_opens_it() {
    let head = Head::of("protected", CLUSTER);
    Pools::change(&head.home, |pools| pools.failures.insert("q".to_owned(), 9)).unwrap();
    resume(&head, "q-od-1");
    head.show_each(&[("q-od-1", "DOWN+CLOUD+NOT_RESPONDING+POWERING_UP", "hpcctl set-up: line 3")]);
    let said = sync(&head);
    assert!(said.iter().any(|line| line.starts_with("queue q is protected: 10 starts in a row failed")), "{said:?}");
    assert!(told(&head).contains(&"update partitionname=q state=inactive".to_owned()));
    let queue = report(&head).queue("q").unwrap().clone();
    assert_eq!((queue.held.unwrap().why, queue.failed_starts), (HeldWhy::Protected, 10));
    assert_eq!(queue.failing[0].reason, "hpcctl set-up: line 3");
    assert_eq!(queue.last_failed_starts[0].words.as_deref(), Some("hpcctl set-up: line 3"));
    // slurmctld starts anew, with the partition up: it is held.
    head.say("booted", "later");
    sync(&head);
    assert!(told(&head).contains(&"update partitionname=q state=inactive".to_owned()));
    // An order opens it.
    order(&head, "a1", Order::Queue { name: "q".to_owned(), state: QueueOrder::Resume });
    head.show_each(&[("q-od-1", ASLEEP, "")]);
    let said = sync(&head);
    assert_eq!(said[0], "carried out an order (resume queue q, by arn:aws:iam::1:user/a)");
    assert_eq!(told(&head)[0], "update partitionname=q state=up");
    assert_eq!(Pools::read(&head.home).unwrap().failures, BTreeMap::new());
    assert!(report(&head).queue("q").unwrap().held.is_none());
}

#[test]
fn orders_are_carried_out_once_and_answered() {
    let head = Head::of("orders", CLUSTER);
    resume(&head, "q-od-[1-2]");
    head.show_each(&[("q-od-1", "ALLOCATED+CLOUD", ""), ("q-od-2", "IDLE+CLOUD", "")]);
    order(&head, "a1", Order::Fleet(FleetOrder::Stop));
    order(&head, "b2", Order::Queue { name: "none".to_owned(), state: QueueOrder::Drain });
    put(&head, &format!("{}20260101T000001Z-c3.json", orders_prefix("head")), "{}");
    head.say("partitions", "PartitionName=q State=INACTIVE\n");
    let said = sync(&head);
    assert_eq!(said.len(), 4, "{said:?}");
    let told = told(&head);
    assert_eq!(told[0], "update partitionname=q state=inactive");
    assert_eq!(told[1], "update nodename=q-od-2 state=power_down_force", "what is idle ends, jobs run on");
    let answer = |id| serde_json::from_slice::<Answer>(&object(&head, &answer_key("head", id)).unwrap()).unwrap();
    assert_eq!(answer("a1").failed, None);
    assert!(answer("b2").failed.unwrap().contains("`none`") && answer("c3").failed.is_some());
    assert!(on_sandbox(head.cloud.objects.list(&bucket(&head), &orders_prefix("head"))).unwrap().is_empty());
    let memory = Memory::read(&head.home).unwrap();
    assert_eq!(memory.holds["q"].why, HoldWhy::Stopped);
    // The same order again (its deletion failed): it has its answer.
    order(&head, "a1", Order::Fleet(FleetOrder::Start));
    sync(&head);
    assert!(Memory::read(&head.home).unwrap().holds.contains_key("q"));
    order(&head, "d4", Order::Fleet(FleetOrder::Start));
    sync(&head);
    assert!(Memory::read(&head.home).unwrap().holds.is_empty());
}

#[test]
fn a_file_system_that_goes_is_used_by_nobody() {
    let head = Head::of("storage-order", CLUSTER);
    resume(&head, "q-od-[1-2]");
    head.show_each(&[("q-od-1", "ALLOCATED+CLOUD", ""), ("q-od-2", "IDLE+CLOUD", "")]);
    fs::create_dir_all(head.beside("proc/self")).unwrap();
    fs::write(
        head.beside("fstab"),
        "# fs-1 /no lustre\nfs-11.fsx.eu-west-1.amazonaws.com@tcp:/a /other lustre d 0 0\n\
         fs-1.fsx.eu-west-1.amazonaws.com@tcp:/b /fsx lustre d 0 0\nfs-1:/ /home efs tls 0 0\n",
    )
    .unwrap();
    let mounts = "10.0.0.9@tcp:/b /fsx lustre rw 0 0\n10.0.0.9@tcp:/a /other lustre rw 0 0\n";
    fs::write(head.beside("proc/self/mounts"), mounts).unwrap();
    for name in ["umount", "mount", "fuser"] {
        let text = "#!/bin/bash\necho \"${0##*/} $*\" >>\"$(dirname \"$0\")/mounting\"\n\
                    case \"$0 $*\" in *\"/umount /fsx\") [ ! -e \"$(dirname \"$0\")/busy\" ] ;; esac\n";
        fs::write(head.bin.join(name), text).unwrap();
        fs::set_permissions(head.bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mounting = || {
        let text = fs::read_to_string(head.bin.join("mounting")).unwrap_or_default();
        let _ = fs::remove_file(head.bin.join("mounting"));
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let answer = |id| serde_json::from_slice::<Answer>(&object(&head, &answer_key("head", id)).unwrap()).unwrap();
    let file_systems = vec!["fs-1".to_owned()];

    order(&head, "a1", Order::Storage(StorageOrder::Hold));
    head.say("partitions", "PartitionName=q State=DOWN\n");
    sync(&head);
    let said = told(&head);
    assert_eq!(said[0], "update partitionname=q state=down", "jobs may be submitted and wait");
    assert_eq!(said[1], "update nodename=q-od-2 state=power_down_force", "what is idle ends, jobs run on");
    assert_eq!(report(&head).queue("q").unwrap().held.as_ref().unwrap().why, HeldWhy::Storage);
    // Somebody sets it up by hand, or orders it open: not while the file system goes.
    head.say("partitions", "PartitionName=q State=UP\n");
    order(&head, "a2", Order::Queue { name: "q".to_owned(), state: QueueOrder::Resume });
    sync(&head);
    assert!(told(&head).iter().any(|call| call == "update partitionname=q state=down"));

    head.say("busy", "");
    order(
        &head,
        "b1",
        Order::Storage(StorageOrder::Release { file_systems: file_systems.clone(), volumes: Vec::new() }),
    );
    sync(&head);
    assert!(answer("b1").failed.unwrap().contains("somebody still uses it"));
    fs::remove_file(head.bin.join("busy")).unwrap();
    mounting();
    order(
        &head,
        "b2",
        Order::Storage(StorageOrder::Release { file_systems: file_systems.clone(), volumes: Vec::new() }),
    );
    sync(&head);
    assert_eq!((answer("b2").failed, mounting()), (None, vec!["umount /fsx".to_owned()]), "no other file system");

    fs::write(head.beside("proc/self/mounts"), "10.0.0.9@tcp:/a /other lustre rw 0 0\n").unwrap();
    // Not before what is mounted has come.
    let early = StorageOrder::Open { file_systems: file_systems.clone(), volumes: Vec::new(), revision: 2 };
    order(&head, "c0", Order::Storage(early));
    sync(&head);
    assert!(Memory::read(&head.home).unwrap().storage.is_some() && object(&head, &answer_key("head", "c0")).is_none());
    // slurmctld refuses: they are still held, and the next apply sees it.
    head.say("refuse", "slurm_update error: Unable to contact slurm controller");
    let refused = StorageOrder::Open { file_systems: Vec::new(), volumes: Vec::new(), revision: 1 };
    order(&head, "c9", Order::Storage(refused));
    sync(&head);
    assert!(answer("c9").failed.is_some() && Memory::read(&head.home).unwrap().storage.is_some());
    assert_eq!(report(&head).queue("q").unwrap().held.as_ref().unwrap().why, HeldWhy::Storage);
    fs::remove_file(head.bin.join("refuse")).unwrap();
    order(&head, "c1", Order::Queue { name: "q".to_owned(), state: QueueOrder::Drain });
    order(&head, "c2", Order::Storage(StorageOrder::Open { file_systems, volumes: Vec::new(), revision: 1 }));
    sync(&head);
    assert_eq!(mounting(), ["mount /fsx", "mount /home"]);
    assert_eq!(told(&head).last().unwrap(), "update partitionname=q state=drain", "what was ordered meanwhile");
    assert_eq!(Memory::read(&head.home).unwrap().storage, None);
}

/// What `mount`, `umount` and `exportfs` do: mounts are kept in a file, volumes by their place.
const MOUNTING: &str = r#"#!/bin/bash
here=$(dirname "$0") name=${0##*/} at=${*: -1}
mounts=$here/../proc/self/mounts
printf '%s\n' "$name $*" >>"$here/mounting"
case $name in
umount) [ ! -e "$here/busy" ] || [[ $* == *--lazy* ]] || exit 32; sed -i "\\| $at |d" "$mounts" ;;
mount) grep -q "^UUID=[^ ]* $at " "$here/../fstab" || exit 32; echo "/dev/nvme1n1 $at ext4 rw 0 0" >>"$mounts" ;;
fuser) exit 1 ;;
esac
"#;

/// AW-12: a volume that leaves is exported no more, unmounted, out of fstab and detached, in this order, and nothing else is.
#[test]
fn a_volume_that_leaves_is_given_back() {
    let volumes = "storage:\n  - { name: apps, mount: /apps, ebs: { size_gib: 50 } }\n  \
                   - { name: tools, mount: /tools, ebs: { size_gib: 50 } }\n";
    let head = Head::of("volume-order", &format!("{CLUSTER}{volumes}"));
    let (fstab, exports) =
        ("UUID=a /apps ext4 noauto 0 0\nUUID=t /tools ext4 noauto 0 0\n", "/home *(rw)\n/apps *(rw)\n/tools *(rw)\n");
    fs::create_dir_all(head.beside("proc/self")).unwrap();
    let mounts = "/dev/nvme1n1 /apps ext4 rw 0 0\n/dev/nvme2n1 /tools ext4 rw 0 0\n";
    for (file, text) in [("fstab", fstab), ("exports", exports), ("proc/self/mounts", mounts)] {
        fs::write(head.beside(file), text).unwrap();
    }
    for name in ["umount", "mount", "fuser", "exportfs"] {
        fs::write(head.bin.join(name), MOUNTING).unwrap();
        fs::set_permissions(head.bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    head.show("q-od-[1-5]", ASLEEP);
    let mounting = || {
        let text = fs::read_to_string(head.bin.join("mounting")).unwrap_or_default();
        let _ = fs::remove_file(head.bin.join("mounting"));
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let read = |file: &str| fs::read_to_string(head.beside(file)).unwrap();
    let answer = |id| serde_json::from_slice::<Answer>(&object(&head, &answer_key("head", id)).unwrap()).unwrap();
    let id = head.cluster.volumes().unwrap().into_iter().find(|(name, _)| name == "apps").unwrap().1;
    let holder = || {
        let found = on_sandbox(head.people.compute.volumes(std::slice::from_ref(&id))).unwrap();
        found[0].attachment.as_ref().map(|one| one.instance.clone())
    };
    let instance = holder().unwrap();
    let release = || StorageOrder::Release { file_systems: Vec::new(), volumes: vec![id.clone()] };
    let open = || StorageOrder::Open { file_systems: Vec::new(), volumes: vec![id.clone()], revision: 1 };

    // Somebody uses it whatever is done: it is not taken from beneath them.
    head.say("busy", "");
    order(&head, "a1", Order::Storage(release()));
    sync(&head);
    assert!(answer("a1").failed.unwrap().contains("somebody still uses it"));
    assert_eq!((holder(), read("fstab").as_str()), (Some(instance.clone()), fstab));
    fs::remove_file(head.bin.join("busy")).unwrap();
    order(&head, "a2", Order::Storage(open()));
    sync(&head);
    assert_eq!((answer("a2").failed, read("exports").as_str()), (None, exports), "as it was");
    mounting();

    order(&head, "b1", Order::Storage(release()));
    sync(&head);
    assert_eq!((answer("b1").failed, mounting()), (None, vec!["exportfs -ra".to_owned(), "umount /apps".to_owned()]));
    assert_eq!(read("exports"), "/home *(rw)\n#away /apps *(rw)\n/tools *(rw)\n");
    assert_eq!(read("fstab"), "#away UUID=a /apps ext4 noauto 0 0\nUUID=t /tools ext4 noauto 0 0\n");
    assert_eq!((holder(), read("proc/self/mounts").as_str()), (None, "/dev/nvme2n1 /tools ext4 rw 0 0\n"));
    // Twice is once.
    order(&head, "b2", Order::Storage(release()));
    sync(&head);
    assert_eq!((answer("b2").failed, mounting()), (None, vec![]));

    order(&head, "c1", Order::Storage(open()));
    sync(&head);
    assert_eq!((answer("c1").failed, mounting()), (None, vec!["mount /apps".to_owned(), "exportfs -ra".to_owned()]));
    assert_eq!((holder(), read("fstab").as_str(), read("exports").as_str()), (Some(instance), fstab, exports));
    // One that is not this head node's, or of which nobody knows where it is.
    let other = StorageOrder::Release { file_systems: Vec::new(), volumes: vec!["vol-0123".to_owned()] };
    order(&head, "d1", Order::Storage(other));
    sync(&head);
    assert!(answer("d1").failed.unwrap().contains("vol-0123"));
}

#[test]
fn a_new_configuration_is_fetched_and_set_up() {
    let head = Head::of("configuration", CLUSTER);
    head.show("q-od-1", ASLEEP);
    let place = place(&head);
    let current = |path: &str| keys::current("head", path);
    fs::create_dir(&place.tree).unwrap();
    fs::write(place.tree.join("old"), "").unwrap();
    fs::write(&place.program, "one").unwrap();
    assert_eq!(sync(&head), Vec::<String>::new(), "the newest is in place");
    // Half published: the head of the archive is not that revision yet.
    let etc = head.home.etc.join("cluster.json");
    let facts = fs::read_to_string(&etc).unwrap();
    let newer = facts.replace("\"revision\": 1", "\"revision\": 2");
    assert_ne!(facts, newer);
    put(&head, &current("cluster.json"), newer);
    let script =
        format!("set -e\n[ $1 = update ]\ninstall -m 644 {0}/cluster.json {1}\n", place.tree.display(), etc.display());
    put(&head, &current("head/setup.sh"), "echo no luck >&2; exit 3");
    put(&head, &current("head/libexec/one"), "two");
    wait(&head, 61);
    assert_eq!(sync(&head), Vec::<String>::new());
    // Whole, and failing.
    let revision = object(&head, &keys::head("head")).unwrap();
    put(&head, &keys::head("head"), String::from_utf8(revision).unwrap().replace("\"number\": 1", "\"number\": 2"));
    wait(&head, 61);
    let said = sync(&head);
    assert!(said[0].contains("failed to set the new configuration up") && said[0].ends_with("no luck"), "{said:?}");
    assert!(report(&head).set_up_failed.unwrap().ends_with("no luck"));
    assert_eq!(fs::read_to_string(place.tree.join("libexec/one")).unwrap(), "two");
    assert!(!place.tree.join("old").exists(), "the tree is the new one");
    sync(&head);
    assert_eq!(Memory::read(&head.home).unwrap().configuration.failures, 1, "not at once again");
    // Mended, with a new hpcctl.
    let swap = format!("{script}echo two >{0}.new\nmv {0}.new {0}\n", place.program.display());
    put(&head, &current("head/setup.sh"), swap);
    wait(&head, 121);
    let before = fs::metadata(&place.program).unwrap().ino();
    let mut events = Vec::new();
    let renewed =
        on_sandbox(pass(&head.cloud, &head.cluster, &head.home, &place, &mut |event| events.push(event))).unwrap();
    assert!(renewed && fs::metadata(&place.program).unwrap().ino() != before);
    assert_eq!(lines(&events), ["revision 2 is in place"]);
    wait(&head, 61);
    assert_eq!(sync(&head), Vec::<String>::new());
    let report = report(&head);
    assert_eq!((report.revision, report.set_up_failed), (2, None));
}

#[test]
fn people_see_what_the_head_node_says() {
    let head = Head::of("people", CLUSTER);
    resume(&head, "q-od-1");
    head.show_each(&[("q-od-1", "ALLOCATED+CLOUD", ""), ("q-od-2", "DOWN+CLOUD", "a bad fan")]);
    head.say("jobs", "7|RUNNING|q|None|q-od-1\n8|PENDING|q|launch failed requeued held|\n9|PENDING|q|Priority|\n");
    sync(&head);
    let changed = support::build("people", &CLUSTER.replace("c5.xlarge", "c5.2xlarge"));
    let plan = on_sandbox(plan_for(&head.people, &changed));
    assert_eq!(plan.busy_queues.len(), 1);
    assert!(plan.is_intact());
    let text = hpcctl::report::plan_text::impact(&plan);
    assert!(text.contains("queue q: 1 job on 1 node runs"), "{text}");
    let live = on_sandbox(support::look(&head.people, &changed));
    let status = hpcctl::report::status::Status {
        cluster: "head",
        region: "eu-west-1",
        live: &live,
        logins: &[],
        rehearsal: None,
    };
    let text = status.text(hpcctl::report::paint::Paint::PLAIN);
    assert!(text.contains("queue q") && text.contains("1 job on 1 node, 2 pending"), "{text}");
    // ND-06: a job that waits for somebody is named, one that waits for nodes is not.
    assert!(text.contains("! job 8 is held (launch failed requeued held): `scontrol release 8`"), "{text}");
    assert!(!text.contains("job 9"), "{text}");
    assert!(text.contains("! q-od-2: a bad fan"), "{text}");
    // Whether jobs run is no part of the plan's digest.
    head.say("jobs", "");
    wait(&head, 301);
    sync(&head);
    let again = on_sandbox(plan_for(&head.people, &changed));
    assert_eq!((again.digest, again.busy_queues.len()), (plan.digest, 0));
}

#[test]
fn a_pass_that_cannot_look_decides_nothing() {
    let head = Head::of("blind", CLUSTER);
    resume(&head, "q-od-1");
    let before = head.instances().len();
    fs::write(head.bin.join("scontrol"), "#!/bin/bash\nexit 1\n").unwrap();
    let result = on_sandbox(pass(&head.cloud, &head.cluster, &head.home, &place(&head), &mut |_| {}));
    assert!(result.is_err());
    assert_eq!(head.instances().len(), before);
}

/// The ledger's only launch.
fn the_launch(head: &Head) -> node::Launch {
    Ledger::new(&head.home).launches().unwrap().remove(0)
}

#[test]
fn names_that_nodes_were_not_told_are_told_later() {
    let head = Head::of("untold", CLUSTER);
    let call = CallError {
        operation: "PutObject".to_owned(),
        error: CallErrorKind::Unavailable,
        after: 0,
        times: Some(1),
        message: None,
    };
    head.sandbox.add_fault(Fault::Error(call));
    let nodes = hostlist::expand("q-od-[1-2]").unwrap();
    let jobs = parse_resume_file(None, &nodes, &mut |_| {});
    let all = on_sandbox(node::resume(&head.cloud, &head.cluster, &head.home, jobs, &mut |_| {})).unwrap();
    assert!(!all, "ResumeProgram says that something failed");
    let key = head.cluster.launch_key(&the_launch(&head).launch);
    assert!(object(&head, &key).is_none());
    head.show("q-od-[1-2]", RISING);
    assert!(sync(&head).contains(&"told q-od-[1-2] their names, which had failed".to_owned()));
    let published: node::Launch = serde_json::from_slice(&object(&head, &key).unwrap()).unwrap();
    assert_eq!((published.nodes.len(), published.untold, the_launch(&head).untold), (2, false, false));
    assert_eq!(sync(&head), Vec::<String>::new());
}

#[test]
fn addresses_that_slurmctld_does_not_have_are_told_until_it_does() {
    let head = Head::of("addresses", CLUSTER);
    head.say("refuse", "slurm_update error: Unable to contact slurm controller");
    resume(&head, "q-od-[1-2]");
    fs::remove_file(head.bin.join("refuse")).unwrap();
    let address = |name: &str| {
        let launch = the_launch(&head);
        launch.nodes.values().find(|node| node.name == name).unwrap().address.clone()
    };
    let line = |name: &str, at: &str| format!("NodeName={name} NodeAddr={at} State={RISING} Partitions=q\n");
    // Of the second it has heard.
    head.say("nodes", &(line("q-od-1", "q-od-1") + &line("q-od-2", &address("q-od-2"))));
    for _ in 0..2 {
        assert_eq!(sync(&head), ["slurmctld had other addresses for q-od-1"]);
        assert_eq!(told(&head), [format!("update nodename=q-od-1 nodeaddr={}", address("q-od-1"))]);
    }
    head.say("nodes", &(line("q-od-1", &address("q-od-1")) + &line("q-od-2", &address("q-od-2"))));
    assert_eq!(sync(&head), Vec::<String>::new());
    assert_eq!(told(&head), Vec::<String>::new());
}

#[test]
fn a_damaged_file_is_set_aside_and_what_was_in_it_is_found_again() {
    let head = Head::of("damaged", CLUSTER);
    resume(&head, "q-od-[1-2]");
    head.show("q-od-[1-2]", "ALLOCATED+CLOUD");
    let launch = the_launch(&head);
    for (name, text) in
        [(format!("launches/{}.json", launch.launch).as_str(), ""), ("sync.json", "{"), ("pools.json", "x")]
    {
        fs::write(head.home.state.join(name), text).unwrap();
    }
    let said = sync(&head);
    assert!(said[0].ends_with("was lost and read back: q-od-[1-2]"), "{said:?}");
    assert!(said[1].starts_with("damaged and set aside"), "{said:?}");
    for name in ["sync.json.bad", "pools.json.bad", ".json.bad"] {
        assert!(said[1].contains(name), "{name}: {said:?}");
    }
    assert_eq!(the_launch(&head).nodes, launch.nodes);
    assert_eq!(sync(&head), Vec::<String>::new(), "told once");
    resume(&head, "q-od-3");
    assert_eq!(head.instances().len(), 3);
}

#[test]
fn what_programs_that_died_have_half_written_is_swept() {
    let head = Head::of("halves", CLUSTER);
    head.show("q-od-1", ASLEEP);
    // No process has this number: the most is 2^22.
    let dead = ["sync.json.4194305.next", "launches/x.json.4194305.next"];
    let alive = format!("pools.json.{}.next", std::process::id());
    fs::create_dir_all(head.home.state.join("launches")).unwrap();
    for name in dead.into_iter().chain([alive.as_str()]) {
        fs::write(head.home.state.join(name), "").unwrap();
    }
    sync(&head);
    assert!(dead.iter().all(|name| !head.home.state.join(name).exists()));
    assert!(head.home.state.join(alive).exists(), "its program still writes it");
}
