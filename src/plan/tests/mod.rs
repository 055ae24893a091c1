//! What holds the rules of this room one by one, on small worlds made by hand.
#![allow(clippy::unwrap_used)]

mod going;
mod head;
mod held;
mod resting;

use super::{Action, Change, DataFate, DataRisk, Reason};
use crate::{
    cloud::{InstanceState, StackResource, StackState, StackStatus, Timestamp, VolumeAttachment, VolumeState},
    model::{DataHolding, StackKey},
    observe::{Live, LiveStack, Revision},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HEAD: &str = "i-head";
const OTHER: &str = "i-other";

/// A change to a resource whose physical id is `ID-1`.
fn change(stack: &StackKey, id: &str, kind: &str, action: Action) -> Change {
    Change {
        address: format!("{stack}.{id}"),
        stack: stack.clone(),
        logical_id: id.to_owned(),
        resource_type: kind.to_owned(),
        physical_id: Some(format!("{id}-1")),
        action,
        reason: Reason::NotWanted,
        cause: None,
        properties: Vec::new(),
        data: None,
    }
}

fn with_data(change: Change, holding: DataHolding, fate: DataFate) -> Change {
    let data =
        DataRisk { holding, fate, last_export: None, linked: Vec::new(), targets: Vec::new(), login_nodes: false };
    Change { data: Some(data), ..change }
}

fn file_system(name: &str) -> DataHolding {
    DataHolding::FileSystem { name: name.to_owned(), capacity_gib: Some(1200), exportable: true }
}

fn volume_of(name: &str) -> DataHolding {
    DataHolding::Volume { name: name.to_owned(), size_gib: 10 }
}

/// A stack with resources `ID`, whose physical ids are `ID-1`, and these parameters.
fn stack(key: &StackKey, resources: &[(&str, &str)], parameters: &[(&str, &str)]) -> LiveStack {
    let state = StackState {
        name: key.stack_name("c"),
        id: String::new(),
        status: StackStatus::UpdateComplete,
        reason: None,
        parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        outputs: BTreeMap::new(),
        tags: BTreeMap::new(),
        created: Timestamp(0),
        updated: None,
        termination_protection: false,
    };
    let one = |(id, kind): &(&str, &str)| StackResource {
        logical_id: (*id).to_owned(),
        physical_id: format!("{id}-1"),
        resource_type: (*kind).to_owned(),
        status: "CREATE_COMPLETE".to_owned(),
    };
    let template = resources.iter().map(|(id, kind)| ((*id).to_owned(), json!({ "Type": kind, "Properties": {} })));
    let template = json!({ "Resources": Value::Object(template.collect()) });
    LiveStack { state, template, resources: resources.iter().map(one).collect() }
}

fn instance(id: &str, role: &str, state: &str) -> InstanceState {
    InstanceState {
        id: id.to_owned(),
        instance_type: "c5.large".to_owned(),
        state: state.to_owned(),
        private_ip: None,
        public_ip: None,
        zone: None,
        spot: false,
        launched: Timestamp(100),
        reason: None,
        tags: [("hpcctl:role".to_owned(), role.to_owned())].into(),
    }
}

fn volume(id: &str, holder: Option<&str>) -> VolumeState {
    let attachment = holder.map(|instance| VolumeAttachment {
        instance: instance.to_owned(),
        device: "/dev/sdf".to_owned(),
        state: "attached".to_owned(),
    });
    VolumeState { id: id.to_owned(), state: String::new(), size_gib: 10, created: Timestamp(0), attachment }
}

/// A cluster with a head node in this state, and nothing else.
fn live(state: &str) -> Live {
    let mut head = stack(&StackKey::Head, &[("HeadInstance", "AWS::EC2::Instance")], &[]);
    head.resources[0].physical_id = HEAD.to_owned();
    let revision =
        Revision { number: 1, plan: String::new(), at: Timestamp(0), by: String::new(), source_sha256: String::new() };
    Live {
        stacks: [(StackKey::Head, head)].into(),
        instances: vec![instance(HEAD, "head", state)],
        revision: Some(revision),
        ..Live::default()
    }
}
