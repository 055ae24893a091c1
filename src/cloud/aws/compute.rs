//! EC2: instances, subnets, images, tags.

use super::super::{
    CLUSTER_TAG, CloudError, Compute, ErrorKind, Fleet, FleetInput, ImageQuery, ImageState, InstanceHealth,
    InstanceState, InterfaceState, LAUNCH_TAG, Result, SnapshotState, SubnetState, TaggedResource, VolumeModification,
    VolumeState,
};
use super::config::{Settings, client};
use super::errors::failed;
use super::values::{count, maybe, pairs, text, time};
use super::{existence, fleet, health, instance_types, volumes};
use async_trait::async_trait;
use aws_sdk_ec2::{
    Client,
    operation::describe_instances::builders::DescribeInstancesFluentBuilder,
    types::{Filter, Image, Instance, InstanceAttributeName, InstanceLifecycleType, Subnet, Tag},
};
use std::collections::{BTreeMap, BTreeSet};

/// States of instances that still are something.
const ALIVE: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];
/// Instances in one `TerminateInstances`; EC2 takes 1,000 and advises less.
const BATCH: usize = 500;
/// Instances on one page of `DescribeInstances`: the most that EC2 gives.
const PAGE: i32 = 1000;
/// Values of one filter.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html>
const FILTER_VALUES: usize = 200;

/// EC2.
pub(super) struct Ec2 {
    client: Client,
}

impl Ec2 {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { client: client!(aws_sdk_ec2, settings) }
    }

    /// What a call for instances finds, by id.
    async fn found(&self, call: DescribeInstancesFluentBuilder) -> Result<Vec<InstanceState>> {
        let mut pages = call.max_results(PAGE).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("ec2", "DescribeInstances"))?;
            found.extend(page.reservations().iter().flat_map(|one| one.instances()).map(instance));
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Terminates a batch. EC2 refuses the whole of it when one id is gone, so what it names is left out and the
    /// rest tried again.
    async fn terminate_batch(&self, ids: &[String]) -> Result<()> {
        let mut left = ids.to_vec();
        while !left.is_empty() {
            let call = self.client.terminate_instances().set_instance_ids(Some(left.clone())).send().await;
            let Err(error) = call.map_err(failed("ec2", "TerminateInstances")) else { return Ok(()) };
            left = without_gone(left, error)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Compute for Ec2 {
    async fn instances_of(&self, cluster: &str) -> Result<Vec<InstanceState>> {
        let call = self.client.describe_instances();
        let call = call.filters(filter(&format!("tag:{CLUSTER_TAG}"), &[cluster]));
        self.found(call.filters(filter("instance-state-name", &ALIVE))).await
    }

    /// By a filter, not by ids: EC2 refuses a whole call for one id that it does not know yet.
    async fn instances(&self, ids: &[String]) -> Result<Vec<InstanceState>> {
        let mut found = Vec::new();
        for batch in ids.chunks(FILTER_VALUES) {
            let ids: Vec<&str> = batch.iter().map(String::as_str).collect();
            found.extend(self.found(self.client.describe_instances().filters(filter("instance-id", &ids))).await?);
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    async fn launched(&self, launch: &str) -> Result<Vec<InstanceState>> {
        self.found(self.client.describe_instances().filters(filter(&format!("tag:{LAUNCH_TAG}"), &[launch]))).await
    }

    async fn create_fleet(&self, input: &FleetInput) -> Result<Fleet> {
        fleet::create(&self.client, input).await
    }

    async fn tag(&self, ids: &[String], tags: &BTreeMap<String, String>) -> Result<()> {
        let tags = ec2_tags(tags);
        for batch in ids.chunks(BATCH) {
            let call = self.client.create_tags().set_resources(Some(batch.to_vec())).set_tags(Some(tags.clone()));
            call.send().await.map_err(failed("ec2", "CreateTags"))?;
        }
        Ok(())
    }

    async fn ailing(&self, ids: &[String]) -> Result<Vec<InstanceHealth>> {
        health::ailing(&self.client, ids).await
    }

    /// What a Nitro instance writes is shown at once; others show what EC2 kept at their last start or stop.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html>
    async fn console(&self, id: &str) -> Result<Option<String>> {
        let call = || self.client.get_console_output().instance_id(id);
        let answer = match call().latest(true).send().await.map_err(failed("ec2", "GetConsoleOutput")) {
            Err(error) if error.code.as_deref() == Some("UnsupportedOperation") => {
                call().send().await.map_err(failed("ec2", "GetConsoleOutput"))
            }
            answer => answer,
        };
        Ok(answer?.output().and_then(console_text).filter(|text| !text.is_empty()))
    }

    async fn terminate(&self, ids: &[String]) -> Result<()> {
        for batch in ids.chunks(BATCH) {
            self.terminate_batch(batch).await?;
        }
        Ok(())
    }

    async fn stop(&self, id: &str) -> Result<()> {
        volumes::stop(&self.client, id).await
    }

    async fn start(&self, id: &str) -> Result<()> {
        volumes::start(&self.client, id).await
    }

    async fn protect_instance(&self, id: &str, protected: bool) -> Result<()> {
        volumes::protect(&self.client, id, protected).await
    }

    async fn volumes_of(&self, cluster: &str) -> Result<Vec<VolumeState>> {
        volumes::of_cluster(&self.client, cluster).await
    }

    async fn volumes(&self, ids: &[String]) -> Result<Vec<VolumeState>> {
        volumes::by_ids(&self.client, ids).await
    }

    async fn snapshots_of(&self, ids: &[String]) -> Result<Vec<SnapshotState>> {
        volumes::snapshots(&self.client, ids).await
    }

    async fn modifications(&self, ids: &[String]) -> Result<Vec<VolumeModification>> {
        volumes::modifications(&self.client, ids).await
    }

    async fn attach_volume(&self, volume: &str, instance: &str, device: &str) -> Result<()> {
        volumes::attach(&self.client, volume, instance, device).await
    }

    async fn detach_volume(&self, volume: &str) -> Result<()> {
        volumes::detach(&self.client, volume).await
    }

    async fn interface_of(&self, instance: &str) -> Result<Option<InterfaceState>> {
        volumes::interface_of(&self.client, instance).await
    }

    async fn assign_address(&self, interface: &str, address: Option<&str>) -> Result<String> {
        volumes::assign(&self.client, interface, address).await
    }

    async fn termination_protected(&self, ids: &[String]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for id in ids {
            let attribute = InstanceAttributeName::DisableApiTermination;
            let call = self.client.describe_instance_attribute().instance_id(id).attribute(attribute).send().await;
            match call.map_err(failed("ec2", "DescribeInstanceAttribute")) {
                Ok(said) if said.disable_api_termination().and_then(|one| one.value()) == Some(true) => {
                    found.push(id.clone());
                }
                Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(found)
    }

    async fn subnets(&self, ids: &[String]) -> Result<Vec<SubnetState>> {
        // Without ids EC2 would give all subnets.
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.client.describe_subnets().set_subnet_ids(Some(ids.to_vec())).send().await;
        let page = call.map_err(failed("ec2", "DescribeSubnets"))?;
        let mut found: Vec<SubnetState> = page.subnets().iter().map(subnet).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    async fn newest_image(&self, query: &ImageQuery) -> Result<Option<ImageState>> {
        let call = self.client.describe_images().owners(&query.owner);
        let call = call.filters(filter("name", &[&query.name])).filters(filter("state", &["available"]));
        let call = call.filters(filter("architecture", &[&query.architecture]));
        let mut pages = call.into_paginator().items().send();
        let mut found: Vec<Image> = Vec::new();
        while let Some(image) = pages.next().await {
            found.push(image.map_err(failed("ec2", "DescribeImages"))?);
        }
        Ok(newest(&found))
    }

    async fn instance_types(&self) -> Result<Vec<crate::catalog::InstanceType>> {
        instance_types::all(&self.client).await
    }

    /// Terminated instances keep their tags for an hour; they are left out.
    async fn tagged(&self, cluster: &str) -> Result<Vec<TaggedResource>> {
        let call = self.client.describe_tags().filters(filter("key", &[CLUSTER_TAG]));
        let mut pages = call.filters(filter("value", &[cluster])).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(tag) = pages.next().await {
            let tag = tag.map_err(failed("ec2", "DescribeTags"))?;
            let kind = tag.resource_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default();
            found.push(TaggedResource { id: text(tag.resource_id()), kind });
        }
        if found.iter().any(|resource| resource.kind == "instance") {
            let alive: BTreeSet<String> = self.instances_of(cluster).await?.into_iter().map(|one| one.id).collect();
            found.retain(|resource| resource.kind != "instance" || alive.contains(&resource.id));
        }
        found.sort();
        Ok(found)
    }

    async fn still_there(&self, resources: Vec<TaggedResource>) -> Result<Vec<TaggedResource>> {
        existence::still_there(&self.client, resources).await
    }
}

/// Dates are ISO 8601 in UTC: as text in the order of time. The id settles a tie.
fn newest(images: &[Image]) -> Option<ImageState> {
    let newest = images.iter().max_by_key(|image| (image.creation_date(), image.image_id()))?;
    Some(ImageState { id: text(newest.image_id()), name: text(newest.name()) })
}

/// Tags as EC2 takes them.
pub(super) fn ec2_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The console's text, which EC2 gives in base 64.
fn console_text(output: &str) -> Option<String> {
    let plain: String = output.split_whitespace().collect();
    let bytes = aws_smithy_types::base64::decode(plain).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn filter(name: &str, values: &[&str]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.iter().map(ToString::to_string).collect())).build()
}

/// The ids that the error does not name as missing; the error itself when it is another one.
fn without_gone(ids: Vec<String>, error: CloudError) -> Result<Vec<String>> {
    if error.kind != ErrorKind::NotFound {
        return Err(error);
    }
    let before = ids.len();
    let named: BTreeSet<&str> = error.message.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    let left: Vec<String> = ids.into_iter().filter(|id| !named.contains(id.as_str())).collect();
    if left.len() == before { Err(error) } else { Ok(left) }
}

fn instance(from: &Instance) -> InstanceState {
    InstanceState {
        id: text(from.instance_id()),
        instance_type: from.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        state: from.state().and_then(|state| state.name()).map(|name| name.as_str().to_owned()).unwrap_or_default(),
        private_ip: maybe(from.private_ip_address()),
        public_ip: maybe(from.public_ip_address()),
        zone: from.placement().and_then(|placement| maybe(placement.availability_zone())),
        spot: from.instance_lifecycle() == Some(&InstanceLifecycleType::Spot),
        launched: time(from.launch_time()),
        reason: from.state_reason().and_then(|why| maybe(why.message())),
        tags: pairs(from.tags().iter().map(|tag| (tag.key(), tag.value()))),
    }
}

pub(super) fn subnet(from: &Subnet) -> SubnetState {
    SubnetState {
        id: text(from.subnet_id()),
        vpc_id: text(from.vpc_id()),
        zone: text(from.availability_zone()),
        cidr: text(from.cidr_block()),
        free_addresses: count(from.available_ip_address_count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(of: &[&str]) -> Vec<String> {
        of.iter().map(ToString::to_string).collect()
    }

    fn refusal(kind: ErrorKind, message: &str) -> CloudError {
        super::super::errors::own("ec2", "TerminateInstances", kind, message.to_owned())
    }

    #[test]
    fn instances_that_are_gone_are_left_out() {
        let gone = refusal(ErrorKind::NotFound, "The instance IDs 'i-01, i-03' do not exist");
        assert_eq!(without_gone(ids(&["i-01", "i-012", "i-03"]), gone), Ok(ids(&["i-012"])));
        let other = refusal(ErrorKind::NotFound, "The instance ID 'i-99' does not exist");
        assert!(without_gone(ids(&["i-01"]), other).is_err(), "no progress is an error, not a loop");
        let denied = refusal(ErrorKind::AccessDenied, "not for i-01");
        assert!(without_gone(ids(&["i-01"]), denied).is_err());
    }

    #[test]
    fn the_newest_image_wins_whatever_the_order() {
        let image = |id: &str, at: &str| Image::builder().image_id(id).name(id).creation_date(at).build();
        let images = [
            image("ami-a", "2025-12-31T23:59:59.000Z"),
            image("ami-b", "2026-02-01T00:00:00.000Z"),
            image("ami-c", "2026-01-31T12:00:00.000Z"),
            image("ami-0", "2026-02-01T00:00:00.000Z"),
        ];
        assert_eq!(newest(&images).map(|image| image.id).as_deref(), Some("ami-b"));
        assert_eq!(newest(&[]), None);
    }
}
