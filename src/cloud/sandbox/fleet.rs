//! Fleets: instances at once, as far as the scripted capacity goes.

use super::{
    compute::{Launch, run},
    faults::{Fault, NoCapacity, Script},
    ids::hex,
    world::World,
};
use crate::cloud::{Fleet, FleetError, FleetInput, FleetPurchase};

/// Launches what capacity there is, type by type in the order of the templates, in the first subnet.
pub(super) fn create(world: &mut World, script: &Script, region: &str, input: &FleetInput) -> Fleet {
    if let Some(known) = world.fleets.get(&input.token) {
        return known.clone();
    }
    let mut fleet = Fleet { id: format!("fleet-{}", hex(&[region, &input.token], 16)), ..Fleet::default() };
    let subnet = input.subnets.first().cloned().unwrap_or_default();
    let spot = input.purchase == FleetPurchase::Spot;
    let mut grants = Vec::new();
    let mut wanted = input.count;
    let kinds = input.templates.iter().flat_map(|one| one.instance_types.iter().map(move |(kind, _)| (&one.id, kind)));
    for (template, kind) in kinds {
        let lack = lack(script, kind, spot);
        let given = lack.map_or(wanted, |lack| lack.available.min(wanted));
        if let Some(lack) = lack.filter(|_| given < wanted) {
            fleet.errors.push(error(lack, kind, &subnet));
        }
        grants.push((template, kind, given));
        wanted -= given;
        if wanted == 0 {
            break;
        }
    }
    if wanted == 0 || !input.all_or_nothing {
        for (template, kind, count) in grants {
            for _ in 0..count {
                let launch = Launch {
                    instance_type: kind.clone(),
                    subnet: subnet.clone(),
                    security_groups: Vec::new(),
                    spot,
                    tags: input.tags.clone(),
                    template: Some(template.clone()),
                };
                fleet.instances.push(run(world, region, launch));
            }
        }
    }
    world.fleets.insert(input.token.clone(), fleet.clone());
    fleet
}

/// The first fault that leaves no or little capacity of a type.
fn lack<'s>(script: &'s Script, kind: &str, spot: bool) -> Option<&'s NoCapacity> {
    script.faults.iter().find_map(|fault| match fault {
        Fault::NoCapacity(lack)
            if lack.instance_type.as_deref().is_none_or(|wanted| wanted == kind)
                && lack.spot.is_none_or(|wanted| wanted == spot) =>
        {
            Some(lack)
        }
        _ => None,
    })
}

fn error(lack: &NoCapacity, kind: &str, subnet: &str) -> FleetError {
    FleetError {
        code: lack.code.clone().unwrap_or_else(|| "InsufficientInstanceCapacity".to_owned()),
        message: format!("There is no sufficient {kind} capacity in the Availability Zone you requested"),
        instance_type: Some(kind.to_owned()),
        subnet: Some(subnet.to_owned()),
    }
}
