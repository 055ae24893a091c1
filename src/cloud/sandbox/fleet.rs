//! Fleets: instances at once, as far as the scripted capacity goes.

use super::{
    compute::{Launch, run},
    control::Call,
    eval::plain,
    faults::{Fault, NoCapacity, Script},
    iam::{self, Access, Principal},
    ids::hex,
    world::World,
};
use crate::{
    catalog::InstanceCatalog,
    cloud::{Fleet, FleetError, FleetInput, FleetPurchase, Result},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Launches what capacity there is, type by type in the order of the templates, in the first subnet whose zone offers the
/// type.
///
/// # Errors
/// When the caller may not ask for fleets at all.
pub(super) fn create(
    world: &mut World,
    script: &Script,
    region: &str,
    call: Call,
    principal: Option<&Principal>,
    input: &FleetInput,
) -> Result<Fleet> {
    let needs = iam::fleet(world, region, input);
    principal.map_or(Ok(()), |principal| principal.permit(call, &needs.call))?;
    if let Some(known) = world.fleets.get(&input.token) {
        return Ok(known.clone());
    }
    let refused = |all: &BTreeMap<String, Vec<Access>>, template: &str| {
        principal.and_then(|principal| principal.refuses(all.get(template)?))
    };
    let mut fleet = Fleet { id: format!("fleet-{}", hex(&[region, &input.token], 16)), ..Fleet::default() };
    let spot = input.purchase == FleetPurchase::Spot;
    let mut grants = Vec::new();
    let mut wanted = input.count;
    let kinds = input.templates.iter().flat_map(|one| one.instance_types.iter().map(move |(kind, _)| (&one.id, kind)));
    for (template, kind) in kinds {
        let (offered, lacking): (Vec<&String>, Vec<&String>) =
            input.subnets.iter().partition(|subnet| !script.lacks(kind, &world.zone_of(region, subnet)));
        fleet.errors.extend(lacking.iter().map(|subnet| not_offered(world, region, kind, subnet)));
        let Some(subnet) = offered.first().map(|subnet| (*subnet).clone()) else { continue };
        if let Some(error) = unfit(world, script, template, kind, &subnet) {
            fleet.errors.push(error);
            continue;
        }
        if let Some(words) = refused(&needs.launches, template) {
            let message = format!("You are not authorized to perform this operation. {words}");
            fleet.errors.push(answer("UnauthorizedOperation", message, kind, &subnet));
            continue;
        }
        let lack = lack(script, kind, spot);
        let given = lack.map_or(wanted, |lack| lack.available.min(wanted));
        if let Some(lack) = lack.filter(|_| given < wanted) {
            fleet.errors.push(error(lack, kind, &subnet));
        }
        grants.push((template, kind, subnet, given));
        wanted -= given;
        if wanted == 0 {
            break;
        }
    }
    if wanted == 0 || !input.all_or_nothing {
        for (template, kind, subnet, count) in grants {
            for _ in 0..count {
                let launch = Launch {
                    instance_type: kind.clone(),
                    subnet: subnet.clone(),
                    security_groups: Vec::new(),
                    spot,
                    tags: input.tags.clone(),
                    template: Some(template.clone()),
                };
                let id = run(world, region, launch);
                // The launch succeeds; the disk cannot be made, and the instance ends.
                if let Some(instance) =
                    world.instances.get_mut(&id).filter(|_| refused(&needs.disks, template).is_some())
                {
                    instance.terminated = Some(world.now);
                    instance.ended_by = Some("Client.InternalError: Client error on launch".to_owned());
                }
                fleet.instances.push(id);
            }
        }
    }
    world.fleets.insert(input.token.clone(), fleet.clone());
    Ok(fleet)
}

fn not_offered(world: &World, region: &str, kind: &str, subnet: &str) -> FleetError {
    let zone = world.zone_of(region, subnet);
    let message =
        format!("Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}).");
    answer("InvalidFleetConfiguration", message, kind, subnet)
}

/// An image that is gone, or EFA on a network card that cannot carry it.
fn unfit(world: &World, script: &Script, template: &str, kind: &str, subnet: &str) -> Option<FleetError> {
    if let Some(image) = image(world, template).filter(|image| script.absent.contains(image)) {
        let message = format!("The image id '[{image}]' does not exist");
        return Some(answer("InvalidAMIID.NotFound", message, kind, subnet));
    }
    let first = InstanceCatalog::embedded().get(kind)?.first_efa_card();
    let (_, found) = world.resources().find(|(_, one)| one.physical == template)?;
    let actual = found.actual();
    let interfaces = actual.pointer("/LaunchTemplateData/NetworkInterfaces")?.as_array()?;
    let number =
        |one: &Value, key: &str| one.get(key).map(plain).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let efa = |one: &&Value| one.get("InterfaceType").map(plain).is_some_and(|word| word.starts_with("efa"));
    let wrong = interfaces.iter().filter(efa).map(|one| number(one, "NetworkCardIndex")).find(|card| *card < first)?;
    let message = format!("The network card {wrong} of {kind} does not support EFA interfaces");
    Some(answer("InvalidParameterCombination", message, kind, subnet))
}

/// The image of a launch template.
fn image(world: &World, template: &str) -> Option<String> {
    let (_, found) = world.resources().find(|(_, one)| one.physical == template)?;
    found.actual().pointer("/LaunchTemplateData/ImageId").map(plain)
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
    let code = lack.code.as_deref().unwrap_or("InsufficientInstanceCapacity");
    let message = format!("There is no sufficient {kind} capacity in the Availability Zone you requested");
    answer(code, message, kind, subnet)
}

fn answer(code: &str, message: String, kind: &str, subnet: &str) -> FleetError {
    FleetError { code: code.to_owned(), message, instance_type: Some(kind.to_owned()), subnet: Some(subnet.to_owned()) }
}
