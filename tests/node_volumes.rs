//! Volumes and the address of a head node, as its own programs take and give them.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::{
        Cloud, ErrorKind,
        sandbox::{CallError, CallErrorKind, Fault, Launch},
    },
    node::{self, Attached, Event, NodeError},
};
use support::{
    head::{CLUSTER, Head, lines},
    on_sandbox,
};

fn with_two_volumes(name: &str) -> Head {
    Head::of(name, &format!("{CLUSTER}storage:\n  - {{ name: tools, mount: /tools, ebs: {{ size_gib: 50 }} }}\n"))
}

/// Another instance with the rights of a head node, in its subnet.
fn another(head: &Head) -> (String, Cloud) {
    let tags = [("hpcctl:cluster", "head"), ("hpcctl:role", "head")];
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let subnet = "subnet-0a1b2c3d4e5f67890".to_owned();
    let launch = Launch { instance_type: "c5.large".to_owned(), subnet, tags, ..Launch::default() };
    let id = head.sandbox.launch(launch).unwrap();
    let cloud = head.sandbox.on_instance(&id).cloud();
    (id, cloud)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The holders of the two volumes, by name.
fn holders(head: &Head) -> Vec<(String, Option<String>)> {
    let of = |(name, id): (String, String)| {
        let found = on_sandbox(head.people.compute.volumes(&[id])).unwrap().remove(0);
        (name, found.attachment.filter(|one| one.state != "detaching").map(|one| one.instance))
    };
    head.cluster.volumes().unwrap().into_iter().map(of).collect()
}

fn held(head: &Head, name: &str) -> Option<String> {
    holders(head).into_iter().find(|(known, _)| known == name).unwrap().1
}

fn attach(head: &Head, wanted: &[&str]) -> (Result<Vec<Attached>, NodeError>, Vec<Event>) {
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    let result = on_sandbox(node::attach(&head.cloud, &head.cluster, &names(wanted), &mut keep));
    (result, events)
}

fn detach(head: &Head, cloud: &Cloud, wanted: &[&str]) -> Result<(), NodeError> {
    on_sandbox(node::detach(cloud, &head.cluster, &names(wanted)))
}

fn fault(head: &Head, operation: &str, error: CallErrorKind) {
    fault_times(head, operation, error, 1);
}

fn fault_times(head: &Head, operation: &str, error: CallErrorKind, times: u32) {
    let (operation, times) = (operation.to_owned(), Some(times));
    head.sandbox.add_fault(Fault::Error(CallError { operation, error, message: None, after: 0, times }));
}

#[test]
fn a_node_gives_back_what_is_its_own_and_named() {
    let head = with_two_volumes("detach");
    let (_, there) = another(&head);
    let own = held(&head, "tools");
    assert!(own.is_some() && held(&head, "head_data") == own);
    detach(&head, &there, &[]).unwrap();
    assert_eq!((held(&head, "tools"), held(&head, "head_data")), (own.clone(), own.clone()), "another one's");
    for unknown in [detach(&head, &head.cloud, &["nope"]), attach(&head, &["tools", "nope"]).0.map(drop)] {
        assert!(matches!(&unknown, Err(NodeError::Missing(what)) if what.contains("nope")), "{unknown:?}");
    }
    detach(&head, &head.cloud, &["tools"]).unwrap();
    assert_eq!((held(&head, "tools"), held(&head, "head_data")), (None, own.clone()));
    detach(&head, &head.cloud, &[]).unwrap();
    assert_eq!((held(&head, "tools"), held(&head, "head_data")), (None, None));
    // What is free is had at once, each under a device name of its own, and one word for each.
    let (attached, events) = attach(&head, &[]);
    let devices: Vec<String> = attached.unwrap().into_iter().map(|one| one.device).collect();
    assert_eq!(devices, ["/dev/sdf", "/dev/sdg"]);
    assert!(matches!(events[..], [Event::VolumeAttached { .. }, Event::VolumeAttached { .. }]), "{:?}", lines(&events));
    assert_eq!((held(&head, "tools"), held(&head, "head_data")), (own.clone(), own));
}

/// Somebody else was faster between two calls: that is waited for. Any other refusal is an error.
#[test]
fn a_volume_that_is_taken_meanwhile_is_waited_for() {
    let head = with_two_volumes("race");
    detach(&head, &head.cloud, &[]).unwrap();
    fault(&head, "AttachVolume", CallErrorKind::Busy);
    let (attached, events) = attach(&head, &["tools"]);
    assert_eq!(attached.unwrap().len(), 1);
    assert!(matches!(events[..], [Event::VolumeAttached { .. }]), "{:?}", lines(&events));
    let before = head.people.clock.now();
    fault(&head, "AttachVolume", CallErrorKind::Invalid);
    let refused = attach(&head, &["head_data"]).0.unwrap_err();
    assert!(matches!(&refused, NodeError::Cloud(error) if error.kind == ErrorKind::Invalid), "{refused:?}");
    assert_eq!(head.people.clock.now(), before, "at once");
}

#[test]
fn a_volume_that_does_not_come_is_spoken_of_each_minute() {
    let head = with_two_volumes("never");
    let (_, there) = another(&head);
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    let result = on_sandbox(node::attach(&there, &head.cluster, &names(&["tools"]), &mut keep));
    assert!(matches!(result, Err(NodeError::Volume { minutes: 15, .. })), "{result:?}");
    assert!(events.iter().all(|event| matches!(event, Event::VolumeTaken { .. })), "{:?}", lines(&events));
    assert_eq!(events.len(), 15);
}

/// Calls that fail for a while at boot are made again: without its volumes and its address a head node has no queue. What
/// AWS refuses for good is told at once, what it does not allow soon.
#[test]
fn a_refusal_that_passes_is_waited_for() {
    let head = with_two_volumes("patience");
    detach(&head, &head.cloud, &[]).unwrap();
    for (error, operation) in [
        (CallErrorKind::Throttled, "DescribeVolumes"),
        (CallErrorKind::Unavailable, "AttachVolume"),
        (CallErrorKind::AccessDenied, "AttachVolume"),
    ] {
        fault_times(&head, operation, error, 3);
        let (attached, events) = attach(&head, &["tools"]);
        assert_eq!(attached.unwrap().len(), 1, "{operation}");
        assert_eq!(
            events.iter().filter(|event| matches!(event, Event::Again { .. })).count(),
            3,
            "{:?}",
            lines(&events)
        );
        detach(&head, &head.cloud, &[]).unwrap();
    }
    let waited = |error, times| {
        fault_times(&head, "AttachVolume", error, times);
        let before = head.people.clock.now();
        assert!(attach(&head, &["tools"]).0.is_err(), "{error:?}");
        head.people.clock.now().0 - before.0
    };
    assert!(waited(CallErrorKind::Invalid, 1) < 10, "no longer than the volume takes to become free");
    // Seven calls in two minutes, with pauses of 2, 4, 8, 16, 32 and 60 seconds.
    assert!((120..130).contains(&waited(CallErrorKind::AccessDenied, 7)));
    assert!((900..1000).contains(&waited(CallErrorKind::Unavailable, 20)));
}

/// A call that fails gives no address up: only one that cannot be had is.
#[test]
fn an_address_is_not_given_up_for_a_call_that_fails() {
    let head = with_two_volumes("address");
    let (first, there) = (held(&head, "tools").unwrap(), another(&head).1);
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    on_sandbox(async {
        let address = node::head_address(&head.cloud, &head.cluster, &mut keep).await.unwrap();
        fault_times(&head, "PutObject", CallErrorKind::Unavailable, 2);
        node::publish_address(&head.cloud, &head.cluster, &address, &mut keep).await.unwrap();
        fault_times(&head, "AssignPrivateIpAddresses", CallErrorKind::AccessDenied, 7);
        let failed = node::head_address(&there, &head.cluster, &mut keep).await.unwrap_err();
        assert!(matches!(&failed, NodeError::Cloud(_)), "{failed:?}");
        let interface = head.people.compute.interface_of(&first).await.unwrap().unwrap();
        assert_eq!(interface.secondary, std::slice::from_ref(&address));
        fault(&head, "AssignPrivateIpAddresses", CallErrorKind::Throttled);
        assert_eq!(node::head_address(&there, &head.cluster, &mut keep).await.unwrap(), address);
    });
    let taken = events.iter().filter(|event| matches!(event, Event::AddressTaken { .. })).count();
    assert_eq!(taken, 2, "{:?}", lines(&events));
}
