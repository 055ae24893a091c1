//! What the file does not say stays as it is in a stack that exists: zones of subnets, the size of the head node's volume.

use crate::{
    model::{HEAD_DATA, StackKey, volume_id},
    observe::{Live, LiveStack},
    spec::Cluster,
};
use serde_json::Value;

const SUBNET: &str = "AWS::EC2::Subnet";

/// The template with what stays; `None` when nothing differs.
pub fn settled(
    key: &StackKey,
    template: &Value,
    cluster: Option<&Cluster>,
    exists: &LiveStack,
    live: &Live,
) -> Option<Value> {
    match key {
        StackKey::Storage => head_data(template, cluster?, exists),
        _ => zones(template, exists, live),
    }
}

/// The size of the head node's data volume depends on where `/home` is, unless the file says it; a volume never shrinks
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html>). Homes that are on it are so still when
/// `/home` moves away: what the volume holds is told by what was ever put there.
fn head_data(template: &Value, cluster: &Cluster, exists: &LiveStack) -> Option<Value> {
    let at = |path: &str| format!("/Resources/{}/{path}", volume_id(HEAD_DATA));
    let (size, holds) = (at("Properties/Size"), at("Metadata/hpcctl:holds/head_data"));
    let mut settled = template.clone();
    let gib = |template: &Value| template.pointer(&size).and_then(Value::as_u64);
    let larger = gib(&exists.template).filter(|before| Some(*before) > gib(template));
    let larger = larger.filter(|_| cluster.head_node.data_volume.size_gib.is_none());
    let held = exists.template.pointer(&holds);
    let homes = held.is_some_and(|held| held["home"] == true) && template.pointer(&holds)?["home"] == false;
    if let Some(before) = larger {
        *settled.pointer_mut(&size)? = before.into();
        settled.pointer_mut(&holds)?["size_gib"] = before.into();
    }
    if homes {
        settled.pointer_mut(&holds)?["home"] = true.into();
    }
    (larger.is_some() || homes).then_some(settled)
}

/// The template in which every subnet that stays in its zone says so in the words that are there: a name and a place in
/// the region's list are different words that may mean the same zone, and CloudFormation sees no change then.
fn zones(template: &Value, exists: &LiveStack, live: &Live) -> Option<Value> {
    let mut settled = template.clone();
    let mut any = false;
    for (logical_id, resource) in settled.get_mut("Resources")?.as_object_mut()? {
        let old = exists.template.get("Resources").and_then(|all| all.get(logical_id));
        let Some(old) = old.filter(|old| old.get("Type").and_then(Value::as_str) == Some(SUBNET)) else { continue };
        let is = exists.physical_id(logical_id).and_then(|id| live.zones.get(id));
        let (Some(before), Some(after)) = (zone(old), zone(resource)) else { continue };
        let same = after.as_str().is_none_or(|name| Some(name) == is.map(String::as_str));
        if before == after || !same {
            continue;
        }
        let before = before.clone();
        resource["Properties"]["AvailabilityZone"] = before;
        resource["Metadata"] = old.get("Metadata").cloned().unwrap_or_default();
        any = true;
    }
    any.then_some(settled)
}

/// The template in which every subnet that exists names its zone, for a stack that is changed anyway: places in the region's
/// list mean what EC2 lists at that time, and nobody promises the order. `None` when there is none to name.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-getavailabilityzones.html>
pub fn named(template: &Value, exists: &LiveStack, live: &Live) -> Option<Value> {
    let mut named = template.clone();
    let mut any = false;
    for (logical_id, resource) in named.get_mut("Resources")?.as_object_mut()? {
        let is = exists.physical_id(logical_id).and_then(|id| live.zones.get(id));
        let Some(is) = is.filter(|_| resource.get("Type").and_then(Value::as_str) == Some(SUBNET)) else { continue };
        if zone(resource).is_some_and(|zone| !zone.is_string()) {
            resource["Properties"]["AvailabilityZone"] = is.as_str().into();
            any = true;
        }
    }
    any.then_some(named)
}

fn zone(subnet: &Value) -> Option<&Value> {
    subnet.get("Properties")?.get("AvailabilityZone")
}
