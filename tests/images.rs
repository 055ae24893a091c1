//! Images that are gone: deregistered by their owner while clusters still name them.

#![allow(clippy::unwrap_used)]

mod support;

use hpcctl::{
    cloud::{
        Cloud, FleetInput, FleetPurchase, FleetTemplate, StackInput, TemplateSource,
        sandbox::{Sandbox, Script},
    },
    model::StackKey,
    plan::{Action, Note, Plan},
    report::{paint::Paint, plan_text},
};
use std::collections::BTreeSet;
use support::*;

fn queue() -> StackKey {
    StackKey::Queue("q".to_owned())
}

/// A cluster that stands, and whose image somebody deregisters.
async fn without_image(sandbox: &Sandbox, built: &Built) -> String {
    let cloud = sandbox.cloud();
    carry_out_well(&cloud, &plan_for(&cloud, built).await).await;
    let image = image(&cloud, built, &queue()).await;
    assert_eq!(image, self::image(&cloud, built, &StackKey::Head).await);
    sandbox.set_script(Script { absent: vec![image.clone()], ..Script::default() });
    image
}

/// The image that a stack was made with.
async fn image(cloud: &Cloud, built: &Built, stack: &StackKey) -> String {
    let live = look(cloud, built).await;
    let values = live.stacks[stack].state.parameters.values();
    let images: BTreeSet<&String> = values.filter(|value| value.starts_with("ami-")).collect();
    assert_eq!(images.len(), 1);
    images.into_iter().next().unwrap().clone()
}

/// One more node, of the newest version of the queue's launch template.
async fn launch(cloud: &Cloud, built: &Built, token: &str) -> Vec<String> {
    let live = look(cloud, built).await;
    let templates = live.stacks[&queue()].resources.iter();
    let template = templates.into_iter().find(|one| one.resource_type == "AWS::EC2::LaunchTemplate").unwrap();
    let input = FleetInput {
        token: token.to_owned(),
        count: 1,
        all_or_nothing: false,
        purchase: FleetPurchase::OnDemand,
        strategy: None,
        spot_price: None,
        templates: vec![FleetTemplate {
            id: template.physical_id.clone(),
            version: "$Latest".to_owned(),
            instance_types: vec![("c5.xlarge".to_owned(), 0)],
        }],
        subnets: vec!["subnet-0b1c2d3e4f5a67891".to_owned()],
        tags: Default::default(),
    };
    let fleet = cloud.compute.create_fleet(&input).await.unwrap();
    let came = fleet.instances.len();
    fleet.errors.into_iter().map(|error| error.code).chain((came == 1).then(|| "came".to_owned())).collect()
}

fn actions(plan: &Plan) -> Vec<(&str, Action)> {
    plan.changes.iter().map(|change| (change.address.as_str(), change.action)).collect()
}

/// AW-51: nothing is launched from an image that is gone, so launch templates take the newest; the head node that runs
/// stays.
#[test]
fn nodes_boot_the_newest_image_once_theirs_is_gone() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let (cloud, built) = (sandbox.cloud(), build("head.yaml", head::CLUSTER));
        let gone = without_image(&sandbox, &built).await;
        assert_eq!(launch(&cloud, &built, "before").await, ["InvalidAMIID.NotFound"]);

        let plan = plan_for(&cloud, &built).await;
        assert_eq!(actions(&plan), [("queue.q.launch_template.od", Action::Update)]);
        let newest = match &plan.notes[..] {
            [
                Note::ImageGone { stack, image, instead: None },
                Note::ImageGone { stack: other, image: same, instead: Some(newest) },
            ] => {
                assert_eq!((stack.as_str(), other.as_str(), image, same), ("head", "queue.q", &gone, &gone));
                newest.clone()
            }
            other => panic!("{other:?}"),
        };
        let text = plan_text::plan_text(&plan, plan_text::PlanView { paint: Paint::PLAIN, verbose: false });
        assert!(text.contains(&format!("the image {gone} of queue.q is gone")), "{text}");
        carry_out_well(&cloud, &plan).await;
        assert_eq!(image(&cloud, &built, &queue()).await, newest);
        assert_eq!(launch(&cloud, &built, "after").await, ["came"]);
        let again = plan_for(&cloud, &built).await;
        assert_eq!(actions(&again), [], "said again, and nothing to do");
        assert!(again.steps.is_empty());
    });
}

/// CloudFormation looks up an image that a parameter names, whatever else changes.
#[test]
fn a_head_node_whose_image_is_gone_can_still_be_changed_and_replaced() {
    on_sandbox(async {
        let sandbox = Sandbox::in_memory("eu-west-1");
        let (cloud, built) = (sandbox.cloud(), build("head.yaml", head::CLUSTER));
        let gone = without_image(&sandbox, &built).await;
        carry_out_well(&cloud, &plan_for(&cloud, &built).await).await;
        let head = &look(&cloud, &built).await.stacks[&StackKey::Head];
        let input = StackInput {
            name: head.state.name.clone(),
            template: TemplateSource::Body(head.template.to_string()),
            parameters: head.state.parameters.clone(),
            tags: [("more".to_owned(), "tags".to_owned())].into(),
            token: "by-hand".to_owned(),
            termination_protection: false,
        };
        let refused = cloud.stacks.update(&input).await.unwrap_err().message;
        assert!(refused.contains(&format!("parameter value {gone} for parameter name")), "{refused}");
        let larger = head::CLUSTER.replace("c5.large", "c5.xlarge");
        let larger = build("head.yaml", &larger);
        let plan = plan_for(&cloud, &larger).await;
        assert!(actions(&plan).contains(&("head.instance", Action::Update)), "{:?}", actions(&plan));
        carry_out_well(&cloud, &plan).await;
        assert_eq!(image(&cloud, &larger, &StackKey::Head).await, gone, "it runs, and stays");
        assert!(plan_for(&cloud, &larger).await.steps.is_empty());

        let disk = head::CLUSTER.replace("c5.large }", "c5.xlarge, root_volume: { size_gib: 60 } }");
        let disk = build("head.yaml", &disk);
        let plan = plan_for(&cloud, &disk).await;
        assert!(actions(&plan).contains(&("head.instance", Action::Replace)), "{:?}", actions(&plan));
        carry_out_well(&cloud, &plan).await;
        assert_ne!(image(&cloud, &disk, &StackKey::Head).await, gone);
        assert!(plan_for(&cloud, &disk).await.steps.is_empty());
    });
}
