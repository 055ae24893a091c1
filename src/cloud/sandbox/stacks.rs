//! CloudFormation's port.

use super::{
    changes,
    control::{Call, Sandbox},
    requests,
    resource::DELETED_BY_HAND,
    sim::Sim,
    stack::Stack,
    world::World,
};
use crate::cloud::{
    CLUSTER_TAG, CloudError, ErrorKind, PreviewChange, ResourceDrift, Result, StackEvent, StackInput, StackResource,
    StackState, Stacks, UpdateStart,
};
use async_trait::async_trait;

const SERVICE: &str = "cloudformation";
/// The longest answer of DescribeStacks, in bytes; what is left comes with the next page.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>
const LONGEST_ANSWER: usize = 1_000_000;

#[async_trait]
impl Stacks for Sandbox {
    async fn stack(&self, name: &str) -> Result<Option<StackState>> {
        self.call(Call::look(SERVICE, "DescribeStacks"), |world, _| Ok(self.find(world, name).map(Stack::state)))
    }

    async fn stacks_of(&self, cluster: &str) -> Result<Vec<StackState>> {
        self.stacks_where(|tag| tag == cluster)
    }

    async fn all_stacks(&self) -> Result<Vec<StackState>> {
        self.stacks_where(|_| true)
    }

    async fn template(&self, name: &str) -> Result<String> {
        let call = Call::look(SERVICE, "GetTemplate");
        // What is not ASCII comes back as question marks.
        // <https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/814>
        let ascii = |text: &str| text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        self.call(call, |world, _| Ok(ascii(&self.existing(world, call, name)?.asked.template)))
    }

    async fn resources(&self, name: &str) -> Result<Vec<StackResource>> {
        let call = Call::look(SERVICE, "ListStackResources");
        self.call(call, |world, _| Ok(resources(self.existing(world, call, name)?)))
    }

    async fn events(&self, name_or_id: &str, after: Option<&str>) -> Result<Vec<StackEvent>> {
        let call = Call::look(SERVICE, "DescribeStackEvents");
        self.call(call, |world, _| {
            let events = &self.existing(world, call, name_or_id)?.events;
            let seen = after.and_then(|id| events.iter().position(|event| event.id == id));
            Ok(events[seen.map_or(0, |index| index + 1)..].to_vec())
        })
    }

    async fn create(&self, input: &StackInput) -> Result<String> {
        let call = Call::change(SERVICE, "CreateStack");
        self.call(call, |world, script| requests::create(&mut Sim { world, script }, call, &self.region, input))
    }

    async fn update(&self, input: &StackInput) -> Result<UpdateStart> {
        let call = Call::change(SERVICE, "UpdateStack");
        self.call(call, |world, script| requests::update(&mut Sim { world, script }, call, &self.region, input))
    }

    async fn delete(&self, name: &str, retain: &[String], token: &str) -> Result<()> {
        let call = Call::change(SERVICE, "DeleteStack");
        self.call(call, |world, script| {
            requests::delete(&mut Sim { world, script }, call, (&self.region, name), retain, token)
        })
    }

    async fn continue_rollback(&self, name: &str, skip: &[String]) -> Result<()> {
        let call = Call::change(SERVICE, "ContinueUpdateRollback");
        self.call(call, |world, script| {
            requests::continue_rollback(&mut Sim { world, script }, call, (&self.region, name), skip)
        })
    }

    async fn protect(&self, name: &str, on: bool) -> Result<()> {
        let call = Call::change(SERVICE, "UpdateTerminationProtection");
        self.call(call, |world, _| {
            let id = self.existing(world, call, name)?.id.clone();
            if let Some(stack) = world.stacks.get_mut(&id) {
                stack.termination_protection = on;
            }
            Ok(())
        })
    }

    async fn preview(&self, input: &StackInput) -> Result<Vec<PreviewChange>> {
        let call = Call::look(SERVICE, "CreateChangeSet");
        self.call(call, |world, script| {
            let (template, asked) = requests::read(world, script, call, input)?;
            let stack = self.existing(world, call, &input.name)?;
            if stack.status.in_progress() {
                let status = stack.status.as_str();
                return Err(call.invalid(format!("Stack:{} is in {status} state and can not be updated.", stack.id)));
            }
            changes::preview(stack, &template, &asked).map_err(|e| call.invalid(e))
        })
    }

    async fn drift(&self, name: &str) -> Result<Vec<ResourceDrift>> {
        let call = Call::look(SERVICE, "DetectStackDrift");
        self.call(call, |world, _| Ok(drift(self.existing(world, call, name)?)))
    }

    async fn resource_drift(&self, name: &str, logical_id: &str) -> Result<ResourceDrift> {
        let call = Call::look(SERVICE, "DetectStackResourceDrift");
        self.call(call, |world, _| {
            let stack = self.existing(world, call, name)?;
            let words = || call.invalid(format!("Resource {logical_id} does not exist for stack {name}"));
            let resource = stack.resources.get(logical_id).ok_or_else(words)?;
            let in_sync = ResourceDrift {
                logical_id: logical_id.to_owned(),
                resource_type: resource.kind.clone(),
                status: "IN_SYNC".to_owned(),
                differences: Vec::new(),
            };
            Ok(drift(stack).into_iter().find(|one| one.logical_id == logical_id).unwrap_or(in_sync))
        })
    }
}

impl Sandbox {
    fn find<'w>(&self, world: &'w World, name: &str) -> Option<&'w Stack> {
        world.stacks.get(&world.stack_id(&self.region, name)?)
    }

    fn existing<'w>(&self, world: &'w World, call: Call, name: &str) -> Result<&'w Stack> {
        self.find(world, name).ok_or_else(|| missing(call, name))
    }

    /// All stacks are asked for, page by page: no call searches tags.
    fn stacks_where(&self, fits: impl Fn(&str) -> bool) -> Result<Vec<StackState>> {
        let (mut found, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let page = self.call(Call::look(SERVICE, "DescribeStacks"), |world, _| Ok(self.page(world, at)))?;
            from = page.1;
            found.extend(page.0.into_iter().filter(|stack| stack.tags.get(CLUSTER_TAG).is_some_and(|tag| fits(tag))));
        }
        found.sort_by(|a: &StackState, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The stacks of the region from this one on, as many as an answer holds, and where the next page begins.
    fn page(&self, world: &World, from: usize) -> (Vec<StackState>, Option<usize>) {
        let (mut page, mut bytes) = (Vec::new(), 0);
        let ours = world.stacks.values().filter(|stack| stack.region == self.region && stack.deleted.is_none());
        for (index, stack) in ours.enumerate().skip(from) {
            let state = stack.state();
            bytes += length(&state);
            if bytes > LONGEST_ANSWER && !page.is_empty() {
                return (page, Some(index));
            }
            page.push(state);
        }
        (page, None)
    }
}

/// How many bytes of XML a stack is in an answer: what stands in it, and the elements around each value and the rest.
fn length(state: &StackState) -> usize {
    let maps = [&state.parameters, &state.outputs, &state.tags];
    let pairs = maps.iter().flat_map(|map| map.iter());
    800 + state.id.len() + state.name.len() + pairs.map(|(key, value)| 90 + key.len() + value.len()).sum::<usize>()
}

/// The error for a stack that is not there.
pub(super) fn missing(call: Call, name: &str) -> CloudError {
    call.error(ErrorKind::NotFound, "ValidationError", format!("Stack with id {name} does not exist"))
}

fn resources(stack: &Stack) -> Vec<StackResource> {
    let view = |(logical, resource): (&String, &super::resource::Resource)| StackResource {
        logical_id: logical.clone(),
        physical_id: resource.physical.clone(),
        resource_type: resource.kind.clone(),
        status: resource.status.clone(),
    };
    stack.resources.iter().map(view).collect()
}

fn drift(stack: &Stack) -> Vec<ResourceDrift> {
    let drifted = |(logical, resource): (&String, &super::resource::Resource)| {
        let deleted = resource.edits.contains_key(DELETED_BY_HAND);
        let differences = if deleted { Vec::new() } else { resource.differences() };
        (resource.present() && (deleted || !differences.is_empty())).then(|| ResourceDrift {
            logical_id: logical.clone(),
            resource_type: resource.kind.clone(),
            status: if deleted { "DELETED" } else { "MODIFIED" }.to_owned(),
            differences,
        })
    };
    stack.resources.iter().filter_map(drifted).collect()
}
