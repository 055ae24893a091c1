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
    let (operation, times) = (operation.to_owned(), Some(1));
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

/// A call that fails gives no address up: only one that cannot be had is.
#[test]
fn an_address_is_not_given_up_for_a_call_that_fails() {
    let head = with_two_volumes("address");
    let (first, there) = (held(&head, "tools").unwrap(), another(&head).1);
    let mut events = Vec::new();
    let mut keep = |event| events.push(event);
    on_sandbox(async {
        let address = node::head_address(&head.cloud, &head.cluster, &mut keep).await.unwrap();
        for error in [CallErrorKind::Throttled, CallErrorKind::AccessDenied] {
            fault(&head, "AssignPrivateIpAddresses", error);
            let failed = node::head_address(&there, &head.cluster, &mut keep).await.unwrap_err();
            assert!(matches!(&failed, NodeError::Cloud(_)), "{failed:?}");
        }
        let interface = head.people.compute.interface_of(&first).await.unwrap().unwrap();
        assert_eq!(interface.secondary, std::slice::from_ref(&address));
        assert_eq!(node::head_address(&there, &head.cluster, &mut keep).await.unwrap(), address);
    });
    assert_eq!(lines(&events).len(), 2);
}
