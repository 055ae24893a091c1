//! `CreateFleet` of type `instant`.

use super::super::{Fleet, FleetError, FleetInput, FleetPurchase, FleetStrategy, FleetTemplate, Result};
use super::compute::ec2_tags;
use super::errors::failed;
use super::values::{maybe, text};
use aws_sdk_ec2::{
    Client,
    types::{
        CapacityReservationOptionsRequest, CreateFleetError, DefaultTargetCapacityType,
        FleetCapacityReservationUsageStrategy, FleetLaunchTemplateConfigRequest, FleetLaunchTemplateOverridesRequest,
        FleetLaunchTemplateSpecificationRequest, FleetOnDemandAllocationStrategy, FleetType, OnDemandOptionsRequest,
        ResourceType, SpotAllocationStrategy, SpotInstanceInterruptionBehavior, SpotOptionsRequest, TagSpecification,
        TargetCapacitySpecificationRequest,
    },
};

/// Launches; what came and what did not. A request that is refused as a whole is an error.
pub(super) async fn create(client: &Client, input: &FleetInput) -> Result<Fleet> {
    let call = client
        .create_fleet()
        .client_token(&input.token)
        .r#type(FleetType::Instant)
        .set_launch_template_configs(Some(input.templates.iter().map(|template| config(template, input)).collect()))
        .set_tag_specifications(Some(tags(input)))
        .set_spot_options(spot_options(input))
        .set_on_demand_options(on_demand_options(input))
        .target_capacity_specification(
            TargetCapacitySpecificationRequest::builder()
                .total_target_capacity(whole(input.count))
                .default_target_capacity_type(match input.purchase {
                    FleetPurchase::OnDemand | FleetPurchase::Reserved => DefaultTargetCapacityType::OnDemand,
                    FleetPurchase::Spot => DefaultTargetCapacityType::Spot,
                    FleetPurchase::CapacityBlock => DefaultTargetCapacityType::CapacityBlock,
                })
                .build(),
        );
    let fleet = call.send().await.map_err(failed("ec2", "CreateFleet"))?;
    let mut errors: Vec<FleetError> = fleet.errors().iter().map(error).collect();
    errors.sort();
    errors.dedup();
    Ok(Fleet {
        id: text(fleet.fleet_id()),
        instances: fleet.instances().iter().flat_map(|group| group.instance_ids().to_vec()).collect(),
        errors,
    })
}

/// Every type in every subnet.
fn config(template: &FleetTemplate, input: &FleetInput) -> FleetLaunchTemplateConfigRequest {
    let over = |(name, priority): &(String, u32), subnet: &String| {
        let prioritized =
            matches!(input.strategy, Some(FleetStrategy::Prioritized | FleetStrategy::CapacityOptimizedPrioritized));
        let price = input.spot_price.filter(|_| input.purchase == FleetPurchase::Spot);
        FleetLaunchTemplateOverridesRequest::builder()
            .instance_type(name.as_str().into())
            .subnet_id(subnet)
            .set_priority(prioritized.then(|| f64::from(*priority)))
            .set_max_price(price.map(|price| price.to_string()))
            .build()
    };
    let overrides = template.instance_types.iter().flat_map(|kind| input.subnets.iter().map(move |at| over(kind, at)));
    FleetLaunchTemplateConfigRequest::builder()
        .launch_template_specification(
            FleetLaunchTemplateSpecificationRequest::builder()
                .launch_template_id(&template.id)
                .version(&template.version)
                .build(),
        )
        .set_overrides(Some(overrides.collect()))
        .build()
}

fn spot_options(input: &FleetInput) -> Option<SpotOptionsRequest> {
    let strategy = input.strategy.and_then(|strategy| match strategy {
        FleetStrategy::LowestPrice => Some(SpotAllocationStrategy::LowestPrice),
        FleetStrategy::CapacityOptimized => Some(SpotAllocationStrategy::CapacityOptimized),
        FleetStrategy::CapacityOptimizedPrioritized => Some(SpotAllocationStrategy::CapacityOptimizedPrioritized),
        FleetStrategy::PriceCapacityOptimized => Some(SpotAllocationStrategy::PriceCapacityOptimized),
        FleetStrategy::Prioritized => None,
    });
    (input.purchase == FleetPurchase::Spot).then(|| {
        SpotOptionsRequest::builder()
            .set_allocation_strategy(strategy)
            .instance_interruption_behavior(SpotInstanceInterruptionBehavior::Terminate)
            .set_min_target_capacity(minimum(input))
            .set_single_instance_type(minimum(input).and(one_type(input)))
            .set_single_availability_zone(minimum(input).and(one_zone(input)))
            .build()
    })
}

fn on_demand_options(input: &FleetInput) -> Option<OnDemandOptionsRequest> {
    let strategy = input.strategy.and_then(|strategy| match strategy {
        FleetStrategy::LowestPrice => Some(FleetOnDemandAllocationStrategy::LowestPrice),
        FleetStrategy::Prioritized => Some(FleetOnDemandAllocationStrategy::Prioritized),
        _ => None,
    });
    // A fleet counts what is free in reservations only when it is told to use them.
    let reserved = (input.purchase == FleetPurchase::Reserved).then(|| {
        let first = FleetCapacityReservationUsageStrategy::UseCapacityReservationsFirst;
        CapacityReservationOptionsRequest::builder().usage_strategy(first).build()
    });
    matches!(input.purchase, FleetPurchase::OnDemand | FleetPurchase::Reserved).then(|| {
        OnDemandOptionsRequest::builder()
            .set_allocation_strategy(strategy)
            .set_capacity_reservation_options(reserved)
            .set_min_target_capacity(minimum(input))
            .set_single_instance_type(minimum(input).and(one_type(input)))
            .set_single_availability_zone(minimum(input).and(one_zone(input)))
            .build()
    })
}

/// All or nothing, where EC2 can promise it: for a single type or a single zone, and up to 1,000.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_OnDemandOptionsRequest.html>
fn minimum(input: &FleetInput) -> Option<i32> {
    let single = one_type(input).or(one_zone(input)).is_some();
    (input.all_or_nothing && single && input.count <= 1000).then(|| whole(input.count))
}

fn one_type(input: &FleetInput) -> Option<bool> {
    (input.templates.iter().map(|template| template.instance_types.len()).sum::<usize>() == 1).then_some(true)
}

fn one_zone(input: &FleetInput) -> Option<bool> {
    (input.subnets.len() == 1).then_some(true)
}

fn tags(input: &FleetInput) -> Vec<TagSpecification> {
    let tags = ec2_tags(&input.tags);
    // An instant fleet tags what it launches; the fleet itself is no thing that stays.
    let on = |kind| TagSpecification::builder().resource_type(kind).set_tags(Some(tags.clone())).build();
    vec![on(ResourceType::Instance), on(ResourceType::Volume)]
}

fn error(from: &CreateFleetError) -> FleetError {
    let over = from.launch_template_and_overrides().and_then(|at| at.overrides());
    FleetError {
        code: text(from.error_code()),
        message: text(from.error_message()),
        instance_type: over.and_then(|over| over.instance_type()).map(|kind| kind.as_str().to_owned()),
        subnet: over.and_then(|over| maybe(over.subnet_id())),
    }
}

fn whole(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
