//! Zones of subnets that exist. A name and a place in the region's list are different words that may mean the same
//! zone, and CloudFormation sees no change then; what the file does not say stays as it is.

use crate::observe::{Live, LiveStack};
use serde_json::Value;

const SUBNET: &str = "AWS::EC2::Subnet";

/// The template in which every subnet that stays in its zone says so in the words that are there; `None` when there is
/// none to settle.
pub fn settled(template: &Value, exists: &LiveStack, live: &Live) -> Option<Value> {
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

fn zone(subnet: &Value) -> Option<&Value> {
    subnet.get("Properties")?.get("AvailabilityZone")
}
