//! Fleets: what comes at once, and what does not.

use crate::{lab::Lab, templates};
use hpcctl::cloud::{
    CLUSTER_TAG, ErrorKind, FleetInput, FleetPurchase, FleetStrategy, FleetTemplate, LAUNCH_TAG, NODE_TAG, StackState,
};
use std::collections::BTreeMap;

/// A launch of two types from a launch template.
async fn input(lab: &Lab, count: u32) -> (FleetInput, Vec<StackState>) {
    let net = lab.make(&lab.stack("net", templates::NETWORK)).await;
    let made = lab.make(&lab.stack("template", templates::LAUNCH_TEMPLATE)).await;
    let launch = format!("{:0>32}", lab.name.trim_start_matches('t'));
    let tags = [(CLUSTER_TAG, &lab.name), (LAUNCH_TAG, &launch)];
    let input = FleetInput {
        token: launch.clone(),
        count,
        all_or_nothing: false,
        purchase: FleetPurchase::OnDemand,
        strategy: Some(FleetStrategy::Prioritized),
        spot_price: None,
        templates: vec![FleetTemplate {
            id: made.outputs["Id"].clone(),
            version: made.outputs["Version"].clone(),
            instance_types: vec![("c5.large".to_owned(), 0), ("c5.xlarge".to_owned(), 1)],
        }],
        subnets: vec![net.outputs["Subnet"].clone()],
        tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect(),
    };
    (input, vec![made, net])
}

async fn clean(lab: &Lab, stacks: Vec<StackState>) {
    let left = lab.cloud.compute.instances_of(&lab.name).await.unwrap();
    let ids: Vec<String> = left.into_iter().map(|one| one.id).collect();
    lab.cloud.compute.terminate(&ids).await.unwrap();
    lab.terminated(&ids).await;
    for stack in stacks {
        lab.remove(&stack.id).await;
    }
}

#[tokio::test]
async fn a_fleet_comes_at_once_and_once() {
    let Some(lab) = Lab::open().await else { return };
    let (input, stacks) = input(&lab, 3).await;
    let compute = &lab.cloud.compute;
    let fleet = compute.create_fleet(&input).await.unwrap();
    assert_eq!((fleet.instances.len(), fleet.errors.len()), (3, 0));
    assert_eq!(
        compute.create_fleet(&input).await.unwrap().instances,
        fleet.instances,
        "the same token, the same fleet"
    );

    let shown = compute.launched(&input.token).await.unwrap();
    assert_eq!(shown.len(), 3);
    assert!(shown.iter().all(|one| one.private_ip.is_some() && one.instance_type == "c5.large"), "{shown:?}");
    assert!(compute.launched("nobody").await.unwrap().is_empty());

    let some = [fleet.instances[1].clone(), "i-0123456789abcdef0".to_owned()];
    let found = compute.instances(&some).await.unwrap();
    assert_eq!(found.len(), 1, "what EC2 does not know is left out");
    let names = BTreeMap::from([(NODE_TAG.to_owned(), "q-od-1".to_owned())]);
    compute.tag(&some[..1], &names).await.unwrap();
    let found = compute.instances(&some).await.unwrap();
    assert_eq!(found[0].tags[NODE_TAG], "q-od-1");
    assert_eq!(found[0].tags[LAUNCH_TAG], input.token);
    assert!(compute.ailing(&some[..1]).await.unwrap().is_empty());
    clean(&lab, stacks).await;
}

#[tokio::test]
async fn what_is_short_is_told_and_the_rest_comes() {
    let Some(lab) = Lab::open().await else { return };
    let (mut input, stacks) = input(&lab, 3).await;
    lab.faults(
        r#"[{"action": "CreateFleet", "type": "c5.large", "code": "InsufficientInstanceCapacity", "available": 1, "times": 9},
            {"action": "CreateFleet", "type": "c5.xlarge", "code": "MaxSpotInstanceCountExceeded", "available": 1, "times": 9}]"#,
    );
    input.purchase = FleetPurchase::Spot;
    input.strategy = Some(FleetStrategy::CapacityOptimizedPrioritized);
    input.spot_price = Some(0.05);
    let fleet = lab.cloud.compute.create_fleet(&input).await.unwrap();
    assert_eq!(fleet.instances.len(), 2);
    let codes: Vec<&str> = fleet.errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["InsufficientInstanceCapacity", "MaxSpotInstanceCountExceeded"]);
    assert_eq!(fleet.errors[0].instance_type.as_deref(), Some("c5.large"));
    clean(&lab, stacks).await;
}

#[tokio::test]
async fn all_or_nothing_is_ec2s_own_where_it_can() {
    let Some(lab) = Lab::open().await else { return };
    let (mut input, stacks) = input(&lab, 3).await;
    lab.faults(r#"[{"action": "CreateFleet", "available": 2, "times": 9}]"#);
    input.all_or_nothing = true;
    input.templates[0].instance_types.truncate(1);
    let fleet = lab.cloud.compute.create_fleet(&input).await.unwrap();
    assert_eq!((fleet.instances.len(), fleet.errors.len()), (0, 1));
    clean(&lab, stacks).await;
}

#[tokio::test]
async fn a_template_that_is_gone_is_an_error() {
    let Some(lab) = Lab::open().await else { return };
    let (mut input, stacks) = input(&lab, 1).await;
    input.templates[0].id = "lt-0123456789abcdef0".to_owned();
    let error = lab.cloud.compute.create_fleet(&input).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    clean(&lab, stacks).await;
}

/// A fleet into reservations says so, or EC2 does not count what is free in them. AW-40.
#[tokio::test]
async fn a_reserved_fleet_uses_its_reservation_first() {
    let Some(lab) = Lab::open().await else { return };
    let (mut input, stacks) = input(&lab, 1).await;
    input.purchase = FleetPurchase::Reserved;
    lab.cloud.compute.create_fleet(&input).await.unwrap();
    let options = &lab.call("ec2:CreateFleet", &input.token)["OnDemandOptions"]["CapacityReservationOptions"];
    assert_eq!(options["UsageStrategy"], "use-capacity-reservations-first");
    clean(&lab, stacks).await;
}
